"""plan, run, show and status as a user and as a script would call them."""
# processors: 1
import csv
import io
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import h5py

PROGRAM, MPIRUN, SOURCE = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"]), Path(os.environ["SOURCE"])
SMOKE = str(SOURCE / "sweeps/smoke.yaml")


def call(*arguments, code=0):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done
    return done


def helps():
    version = call("--version").stdout
    assert re.fullmatch(r"ebrsweep \d+\.\d+\.\d+ \(\S+\), .+, training in (float|double)\n", version), version
    overview = call("--help").stdout
    for command in re.findall(r"^  (\w+) +[A-Z]", overview, re.MULTILINE):
        text = call(command, "--help").stdout
        assert text.startswith("Usage: ") and f"ebrsweep {command}" in text, text
        assert max(map(len, text.splitlines())) <= 120
        options = re.findall(r"--([a-z-]+)", text)
        assert "help" in options
    assert call("run", "-h").stdout == call("run", "--help").stdout


def plans():
    plan = json.loads(call("plan", SMOKE, "--json", "-o", "new.h5").stdout)
    assert plan["name"] == "smoke" and plan["runs"] == 14 and plan["new"] == 14, plan
    assert plan["core_hours"] > 0 and plan["memory_per_rank_bytes"] > 0 and plan["suggested_ranks"] >= 1, plan
    assert "14 runs, 14 new" in call("plan", SMOKE, "-o", "new.h5").stdout
    one = json.loads(call("plan", SMOKE, "--json", "-s", "method=vanilla", "--set", "seed=3", "-o", "new.h5").stdout)
    assert one["runs"] == 1, one
    page = call("plan", "--parameters", "--markdown").stdout
    assert page == (SOURCE / "doc/parameters.md").read_text(encoding="utf-8"), \
        "doc/parameters.md is old: ebrsweep plan --parameters --markdown > doc/parameters.md"
    names = set(json.loads(call("show", "smoke.h5", "--json").stdout)[0])
    for name in re.findall(r"^\| `([a-z0-9_.]+)` ", page, re.MULTILINE):
        assert name in names, f"{name} is no column of the results"
    assert json.loads(call("plan", SMOKE, "--json", "-o", "smoke.h5").stdout)["new"] == 0


def runs():
    """Plain lines in a log, one line that is written over on a terminal."""
    log = subprocess.run(MPIRUN + ["-n", "2", PROGRAM, "run", SMOKE], capture_output=True, text=True, check=True)
    assert log.stdout == "" and "\r" not in log.stderr, log
    assert re.search(r"^14 of 14 runs, [\d.]+ a second, 0:00 left$", log.stderr, re.MULTILINE), log.stderr
    assert log.stderr.endswith("results are in smoke.h5\n"), log.stderr
    quiet = call("run", SMOKE, "-q", "-o", "quiet.h5")
    assert quiet.stdout == quiet.stderr == "", quiet
    master, terminal = pty.openpty()
    with subprocess.Popen([PROGRAM, "run", SMOKE, "-o", "seen.h5"], stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        seen = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        assert process.wait() == 0
    os.close(master)
    assert b"\r" in seen and b"14 of 14 runs" in seen, seen


def shows():
    rows = json.loads(call("show", "smoke.h5", "--json").stdout)
    assert len(rows) == 14 and {row["status"] for row in rows} == {"done"}
    with h5py.File("smoke.h5") as file:
        stored = {row["id"]: row for row in file["runs"][:]}
        for row in rows:
            mine = stored[row["id"].encode()]
            for name in "test_accuracy", "test_loss", "head.effective_rank", "contribution.0", "train.rate":
                assert row[name] == mine[name], (name, row[name], mine[name])
            assert row["method"] == mine["method"].decode() and row["data.modalities"] == 2
    table = list(csv.DictReader(io.StringIO(call("show", "smoke.h5", "--csv").stdout)))
    assert len(table) == 14 and float(table[3]["test_loss"]) == rows[3]["test_loss"]
    chosen = json.loads(call("show", "smoke.h5", "--json", "-c", "seed,method,test_loss",
                             "-w", "method==ebr && ebr.lambda>0 || method=='kd'", "--sort", "-test_loss").stdout)
    assert [set(row) for row in chosen] == [{"seed", "method", "test_loss"}] * 4, chosen
    expected = [row["test_loss"] for row in rows
                if row["method"] == "kd" or row["method"] == "ebr" and row["ebr.lambda"] > 0]
    assert [row["test_loss"] for row in chosen] == sorted(expected, reverse=True)
    groups = json.loads(call("show", "smoke.h5", "--json", "--by", "method,ebr.lambda").stdout)
    vanilla = [row["test_loss"] for row in rows if row["method"] == "vanilla"]
    group = next(group for group in groups if group["method"] == "vanilla")
    same = json.loads(call("show", "smoke.h5", "--json", "--by", "method,ebr.lambda", "-c", "method,test_loss").stdout)
    assert [group["test_loss"] for group in same] == [group["test_loss"] for group in groups]
    assert len(groups) == 7 and abs(group["test_loss"] - sum(vanilla) / 2) < 1e-12, group
    text = call("show", "smoke.h5", "--limit", "3").stdout.splitlines()
    assert len(text) == 4 and "method" in text[0], text
    assert json.loads(call("show", "smoke.h5", "--where", "seed>99", "--json").stdout) == []
    with subprocess.Popen([PROGRAM, "show", "smoke.h5", "--csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"", "a closed pipe is nothing to talk about"


def states():
    status = json.loads(call("status", "smoke.h5", "--json").stdout)
    assert status["total"] == status["done"] == 14 and status["failed"] == status["running"] == 0, status
    assert sum(rank["runs"] for rank in status["ranks"]) == 14 and len(status["ranks"]) <= 2, status
    assert re.search(r"^ +done +14 +100\.0 %$", call("status", "smoke.h5").stdout, re.MULTILINE)


def several_at_once():
    """Files of one name in several folders, by processes that no mpirun started: MPI's own files keep out of each other's
    way, and none is left behind."""
    here, folder = os.environ | {"TMPDIR": os.getcwd()}, [Path(f"at-once-{k}") for k in range(4)]
    for place in folder:
        place.mkdir()
    for turn in range(3):
        commands = [subprocess.Popen([PROGRAM, "run", SMOKE, "-q", "-o", f"{turn}.h5"], cwd=place, env=here, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for place in folder]
        assert [command.communicate(timeout=100)[0] for command in commands] == [""] * len(folder)
        assert [command.returncode for command in commands] == [0] * len(folder)
    assert not list(Path().glob("ebrsweep.*")), list(Path().iterdir())


def petsc_apart():
    """Only the commands that need PETSc load it; what they need is told from what is missing or broken."""
    assert "libpetsc" not in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
    program = Path("alone/ebrsweep").resolve()
    program.parent.mkdir()
    shutil.copy(PROGRAM, program)
    for command in "law", "spectrum":
        done = subprocess.run([program, command, "x"], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (3, "") and done.stderr.startswith(
            f"ebrsweep: {command}: there is no ebrsweep-petsc beside this program, nor in "), done
    other = program.with_name("ebrsweep-petsc")
    other.write_text("no program\n")
    other.chmod(0o755)
    done = subprocess.run([program, "law", "x"], capture_output=True, text=True)
    assert done.returncode == 3 and done.stderr == f"ebrsweep: law: {other} cannot be started: Exec format error\n", done


helps()
petsc_apart()
runs()
several_at_once()
plans()
shows()
states()
