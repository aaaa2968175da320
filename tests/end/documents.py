"""What the documents say is so: links and paths lead somewhere, Python examples run, sweep files in them are taken,
parameters and options exist, tables are tables."""
# processors: 1
import os
import re
import subprocess
import sys
from pathlib import Path

PROGRAM, SOURCE = os.environ["EBRSWEEP"], Path(os.environ["SOURCE"])
DOCUMENTS = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "doc").glob("*.md"))]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def output(*arguments):
    return subprocess.run([PROGRAM, *arguments], text=True, capture_output=True, check=True).stdout


def anchor(heading):
    """As GitHub makes them."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def links(document, text):
    for link, fragment in re.findall(r"\]\(([^)#]*)(#[^)]*)?\)", text):
        target = document.parent / link if link else document
        assert "://" in link or target.exists(), f"{document.name}: {link} leads nowhere"
        if fragment and "://" not in link:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert fragment[1:] in map(anchor, headings), f"{document.name}: {link}{fragment} leads nowhere"


def paths(document, text):
    """What looks like a file or folder of the project is there."""
    for path in re.findall(r"`((?:src|include|tests|analysis|jobs|sweeps|bench|doc|cmake)/[\w./*-]+)`", text):
        assert any(SOURCE.glob(path.rstrip("/"))), f"{document.name}: there is no {path}"


def parameters(document, text, known):
    """What looks like a parameter is one, or a group of them."""
    for name in re.findall(r"`((?:data|model|train|kd|ebr|measure|missing|auxiliary|unimodal)\.[a-z_.]*[a-z_])\b", text):
        if not name.endswith((".h5", ".c", ".h", ".py", ".yaml")):
            assert any(f"{one}.".startswith(f"{name}.") for one in known), f"{document.name}: there is no parameter {name}"


def options(document, text, helps):
    """Options of a command in a console block or in backquotes are in its help."""
    spoken = re.findall(r"`(ebrsweep [a-z]+ [^`]+)`", text)
    typed = [line[2:] for code in blocks(text, "console") for line in code.splitlines() if line.startswith("$ ")]
    for line in spoken + typed:
        for command, rest in re.findall(r"\bebrsweep (\w+)([^#|;]*)", line):
            assert command in helps, f"{document.name}: there is no command {command}"
            for option in re.findall(r" (--[a-z][a-z-]*)", rest.split(" -- ")[0]):
                assert re.search(rf"{option}\b", helps[command]), f"{document.name}: {command} has no {option}"


def tables(document, text):
    """Every table has a line of dashes behind its head, and rows as wide as it."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n)+", plain, re.MULTILINE):
        rows = [re.sub(r"\\\||`[^`]*`", "", row).count("|") for row in table.splitlines()]
        head = table.splitlines()[0]
        assert len(rows) > 2 and re.fullmatch(r"[|: -]+", table.splitlines()[1]), f"{document.name}: no table: {head}"
        assert len(set(rows)) == 1, f"{document.name}: rows of {rows} bars in the table {head}"


Path("results").mkdir()
Path("analysis").symlink_to(SOURCE / "analysis")
subprocess.run([PROGRAM, "run", "-q", str(SOURCE / "sweeps/smoke.yaml"), "-o", "results.h5"], check=True)
Path("results/demo.h5").symlink_to(Path("results.h5").resolve())
KNOWN = re.findall(r"^\| `([a-z0-9_.]+)` ", output("plan", "--parameters", "--markdown"), re.MULTILINE)
HELPS = {name: output(name, "--help") for name in re.findall(r"^  (\w+) +[A-Z]", output("--help"), re.MULTILINE)}
examples = sweeps = 0
for document in DOCUMENTS:
    text = document.read_text(encoding="utf-8")
    links(document, text)
    paths(document, text)
    parameters(document, text, KNOWN)
    options(document, text, HELPS)
    tables(document, text)
    if document.name in ("README.md", "results.md"):
        for code in blocks(text, "python"):
            done = subprocess.run([sys.executable, "-"], input=code, text=True, capture_output=True)
            assert done.returncode == 0, f"{document.name}: {done.stderr}"
            examples += 1
    for code in blocks(text, "yaml"):
        if not code.startswith("name:") or "hdf5" in code or document.name == "extending.md":  # end/extending.py runs that
            continue
        Path("example.yaml").write_text(code, encoding="utf-8")
        done = subprocess.run([PROGRAM, "plan", "example.yaml"], text=True, capture_output=True)
        assert done.returncode == 0, f"{document.name}: {done.stderr}"
        sweeps += 1
assert examples >= 2 and sweeps >= 1, (examples, sweeps)
version = re.search(r"VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8").split("project(")[1])[1]
assert f"\nversion: {version}\n" in (SOURCE / "CITATION.cff").read_text(encoding="utf-8"), "CITATION.cff: an old version"
lines = (SOURCE / "README.md").read_text(encoding="utf-8").splitlines()
assert len(lines) <= 128, f"README.md has {len(lines)} lines; a newcomer reads one screen or two"
