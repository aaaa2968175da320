"""What the documents say is so: links lead somewhere, Python examples run, sweep files in them are taken."""
import os
import re
import subprocess
import sys
from pathlib import Path

PROGRAM, SOURCE = os.environ["EBRSWEEP"], Path(os.environ["SOURCE"])
DOCUMENTS = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "doc").glob("*.md"))]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


Path("results").mkdir()
Path("analysis").symlink_to(SOURCE / "analysis")
subprocess.run([PROGRAM, "run", "-q", str(SOURCE / "sweeps/smoke.yaml"), "-o", "results.h5"], check=True)
Path("results/demo.h5").symlink_to(Path("results.h5").resolve())
examples = sweeps = 0
for document in DOCUMENTS:
    text = document.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert "://" in link or (document.parent / link).exists(), f"{document.name}: {link} leads nowhere"
    if document.name in ("README.md", "results.md"):
        for code in blocks(text, "python"):
            done = subprocess.run([sys.executable, "-"], input=code, text=True, capture_output=True)
            assert done.returncode == 0, f"{document.name}: {done.stderr}"
            examples += 1
    for code in blocks(text, "yaml"):
        if not code.startswith("name:") or "hdf5" in code:
            continue
        Path("example.yaml").write_text(code, encoding="utf-8")
        done = subprocess.run([PROGRAM, "plan", "example.yaml"], text=True, capture_output=True)
        assert done.returncode == 0, f"{document.name}: {done.stderr}"
        sweeps += 1
assert examples >= 2 and sweeps >= 1, (examples, sweeps)
lines = (SOURCE / "README.md").read_text(encoding="utf-8").splitlines()
assert len(lines) <= 112, f"README.md has {len(lines)} lines; a newcomer reads one screen or two"
