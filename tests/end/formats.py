"""Results of format 1, of a newer format, and of a machine with the other byte order: what each command makes of them."""
# processors: 1
import csv
import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

PROGRAM, SOURCE = os.environ["EBRSWEEP"], Path(os.environ["SOURCE"])
sys.path.insert(0, str(SOURCE / "analysis"))
import results


def call(*arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=100)
    assert done.returncode == code, done
    return done


def measured(path):
    """Every run's row by its columns as text, and its curves and spectra as bytes."""
    table = {row["id"]: row for row in csv.DictReader(io.StringIO(call("show", path, "--csv").stdout))}
    with h5py.File(path) as file:
        series = {f"{group}/{name}": file[group][name][...].astype("<f8")
                  for group in ("curves", "spectra") for name in file[group]}
        order = [identity.decode() for identity in file["runs"]["id"]]
    return {identity: (table[identity], {name: values[i].tobytes() for name, values in series.items()})
            for i, identity in enumerate(order)}


def old_format():
    """Written before rows had checksums of their series: read as it is, brought up to date without doing a run again."""
    old = Path("old.h5")
    old.write_bytes(gzip.decompress((SOURCE / "tests/end/format-1.h5.gz").read_bytes()))
    with h5py.File(old) as file:
        assert file.attrs["format"] == 1 and "series_checksum" not in file["runs"].dtype.names
        sweep = file.attrs["sweep"].decode()
    bytes_of = old.read_bytes()
    before = measured(old)
    assert len(before) == 3 and all(row["status"] == "done" for row, _ in before.values())
    assert " 3  100.0 %" in call("status", old).stdout
    assert "at least three are needed" in call("law", old, "--resamples", 50).stdout
    assert len(results.read(old).done) == 3 and results.read(old).spectra["head"].shape[0] == 3
    assert "no heads were kept" in call("spectrum", "old.h5:heads", code=2).stderr
    call("merge", "merged.h5", old)
    assert measured("merged.h5") == before and old.read_bytes() == bytes_of, "reading changed the file"

    Path("grown.yaml").write_text(sweep.replace("count: 3", "count: 5"), encoding="utf-8")
    assert "5 runs, 2 new" in call("plan", "grown.yaml", "-o", old).stdout
    assert " 2 to do" in call("run", "grown.yaml", "-o", old).stderr
    with h5py.File(old) as file:
        assert file.attrs["format"] == 2
        sums = file["runs"]["series_checksum"]
    assert list(sums[:3]) == [0, 0, 0] and all(sums[3:] != 0), sums
    after = measured(old)
    assert len(after) == 5
    with h5py.File(old) as file:
        measures = {row["name"].decode() for row in file["columns"] if row["kind"] == b"measure"}
    for identity, (row, series) in before.items():
        grown, curves = after[identity]
        # How a run was carried out is no part of what it is, and that default has changed.
        assert all(row[name] == grown[name] for name in row if name != "measure.distributed"), "a run is another now"
        assert not any(grown[name] for name in measures - set(row)), "measured now, by nobody"
        assert series == {name: curves[name] for name in series}
    call("merge", "--force", "merged.h5", "merged.h5", old)
    assert set(measured("merged.h5")) == set(after), "a file of either format in one merge"


def newer_format(path):
    """Refused by each command, with the sentence that says what to do; nothing is written."""
    newer = Path("newer.h5")
    newer.write_bytes(Path(path).read_bytes())
    with h5py.File(newer, "r+") as file:
        file.attrs.modify("format", np.int32(3))
    bytes_of = newer.read_bytes()
    for command in (["status", newer], ["show", newer], ["law", newer], ["claims", newer], ["merge", "none.h5", newer],
                    ["plan", SOURCE / "sweeps/smoke.yaml", "-o", newer], ["run", SOURCE / "sweeps/smoke.yaml", "-o", newer]):
        said = call(*command, code=2).stderr
        assert "newer.h5: has format 3" in said and "a newer one is needed" in said, said
    try:
        raise AssertionError(f"analysis read it: {results.read(newer)}")
    except results.ResultsError as error:
        assert "3" in str(error), error
    assert newer.read_bytes() == bytes_of and not Path("none.h5").exists()


def swapped(kind):
    """The same type with its bytes the other way round."""
    if kind.names:
        return np.dtype([(name, swapped(kind[name])) for name in kind.names])
    return kind.newbyteorder(">") if kind.kind in "iuf" and not h5py.check_enum_dtype(kind) else kind


def swap(source, target):
    """A copy with every number big-endian."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        def attributes(a, b):
            for name in a.attrs:
                kind = a.attrs.get_id(name).dtype
                value = np.empty(a.attrs.get_id(name).shape, kind)
                a.attrs.get_id(name).read(value)
                b.attrs.create(name, value.astype(swapped(kind)), dtype=swapped(kind))

        def copy(name, item):
            if isinstance(item, h5py.Group):
                made = new.require_group(name)
            else:
                made = new.create_dataset(name, data=item[...].astype(swapped(item.dtype)), dtype=swapped(item.dtype))
            attributes(item, made)

        attributes(old, new)
        old.visititems(copy)


def byte_order(path, sweep):
    """A big-endian copy is the same to every reader, and goes on."""
    swap(path, "big.h5")
    with h5py.File("big.h5") as file:
        assert file["runs"].dtype["test_loss"].byteorder == ">" and file["curves/test_loss.by_epoch"].dtype.byteorder == ">"
    expected = measured(path)
    assert measured("big.h5") == expected, "rows of the other byte order are read as others"
    assert results.read("big.h5").done["test_loss"].tolist() == results.read(path).done["test_loss"].tolist()
    assert " 0 to do" in call("run", sweep, "-o", "big.h5").stderr, "a checksum depends on the byte order"
    call("merge", "both.h5", path, "big.h5")
    assert measured("both.h5") == expected

    swap(path, "big.h5")
    with h5py.File("big.h5", "r+") as file:
        rows = file["runs"][...]
        rows["test_loss"][3] += 1  # no longer what its checksum says: done again
        file["runs"][...] = rows
    assert " 1 to do" in call("run", sweep, "-o", "big.h5").stderr
    again = measured("big.h5")
    timing = ("started", "seconds")
    for identity, (row, series) in expected.items():
        assert series == again[identity][1]
        assert all(again[identity][0][name] == value for name, value in row.items() if name not in timing), identity


def datasets():
    """Samples in either byte order train to the same bits."""
    generator = np.random.default_rng(1)
    label = generator.integers(3, size=90)
    images = generator.normal(size=(90, 5)).astype("f4") + label[:, None]
    for order in "<>":
        with h5py.File("data.h5", "w") as file:
            file.create_dataset("modality/a", data=images.astype(order + "f4"), dtype=order + "f4")
            file.create_dataset("modality/b", data=(images[:, :2] ** 2).astype(order + "f8"), dtype=order + "f8")
            file.create_dataset("label", data=label.astype(order + "i4"), dtype=order + "i4")
        Path("data.yaml").write_text("name: order\nbase: {data: {source: hdf5, file: data.h5}, train: {epochs: 2, batch: 16}}\n"
                                     "axes: {seed: [0]}\n", encoding="utf-8")
        call("run", "-q", "data.yaml", "-o", f"order{ord(order)}.h5")
    (little, _), = measured(f"order{ord('<')}.h5").values()
    (big, _), = measured(f"order{ord('>')}.h5").values()
    assert little["test_loss"] == big["test_loss"] and little["head.nuclear_norm"] == big["head.nuclear_norm"], (little, big)


SMOKE = SOURCE / "sweeps/smoke.yaml"
call("run", "-q", SMOKE, "-o", "smoke.h5")
old_format()
newer_format("smoke.h5")
byte_order("smoke.h5", SMOKE)
datasets()
