"""doc/tutorial.md is what happens: its files are saved, its commands run in an empty folder, their output compared.

A block of yaml or python that begins with `# NAME` is saved as NAME. In a console block a line that begins with `$ ` is a
command, and the lines up to the next are what it prints, stdout and stderr; a line `(exit code N)` says how it ends, 0 is
understood. A line `...` stands for any lines. A word is compared as a word, a number with a decimal point to 3 % or 0.01 (five
kernels of OpenBLAS differed by 0.2 %), anything that VARIES not at all.
"""
import os
import re
import subprocess
from pathlib import Path

SOURCE = Path(os.environ["SOURCE"])
VARIES = [(r"core-hours .*", "core-hours"), (r"longest run .*", "longest run"), (r"memory per rank .*", "memory"),
          (r"suggested ranks .*", "suggested ranks"), (r"[0-9.e+]+ (runs )?a second", "RATE"),
          (r"[0-9:]+ left", "TIME left"), (r"about \d+ seeds", "about N seeds"), (r"BLAS kernel \w+", "BLAS kernel"),
          (r"ebrsweep [0-9.]+:", "ebrsweep:")]


def blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def steps(block):
    """Of a console block: pairs of command and expected lines."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def words(line):
    for pattern, stand_in in VARIES:
        line = re.sub(pattern, stand_in, line)
    return line.split()


def same_word(expected, printed):
    if expected == printed:
        return True
    try:
        a, b = float(expected), float(printed)
    except ValueError:
        return False
    return "." in expected + printed and abs(a - b) <= max(0.01, 0.03 * abs(a))


def same_line(expected, printed):
    a, b = words(expected), words(printed)
    return len(a) == len(b) and all(map(same_word, a, b))


def same_lines(expected, printed):
    """Whether the lines agree, `...` in what is expected being any number of lines."""
    if not expected:
        return not printed
    if expected[0] == "...":
        return any(same_lines(expected[1:], printed[k:]) for k in range(len(printed) + 1))
    return bool(printed) and same_line(expected[0], printed[0]) and same_lines(expected[1:], printed[1:])


def tools():
    """A PATH in which the tutorial's words mean what was built."""
    folder = Path("bin").resolve()
    folder.mkdir()
    for name, command in (("ebrsweep", os.environ["EBRSWEEP"]), ("mpirun", os.environ["MPIRUN"]),
                          ("python3", os.environ["PYTHON"])):
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def shown(done):
    """What a terminal would show, stdout first; of lines of progress, which a slow machine has more of, the last."""
    printed = re.sub(r"(\d+ of \d+ runs, .* left\n)+(?=\d+ of \d+ runs, .* left\n)", "", done.stdout + done.stderr)
    lines = [line.rstrip() for line in printed.splitlines()]
    return [line for line in lines if line] + ([f"(exit code {done.returncode})"] if done.returncode else [])


def main():
    commands = 0
    environment = {**os.environ, "PATH": tools(), "COLUMNS": "200"}
    Path("analysis").symlink_to(SOURCE / "analysis")
    for language, block in blocks((SOURCE / "doc/tutorial.md").read_text(encoding="utf-8")):
        if named := re.match(r"# (\S+\.\w+)\n", block):
            Path(named[1]).write_text(block, encoding="utf-8")
            continue
        if language == "sh":
            continue  # puts the program in the PATH, as tools() does
        assert language == "console", f"a block of {language} is neither a file nor commands"
        for command, expected in steps(block):
            done = subprocess.run(command, shell=True, env=environment, text=True, capture_output=True, timeout=60)
            expected, printed = [line for line in expected if line], shown(done)
            assert same_lines(expected, printed), \
                "\n".join([f"doc/tutorial.md says that `{command}` prints", *expected, "", "and it prints", *printed])
            commands += 1
    assert commands >= 8, f"{commands} commands"


# The comparison itself finds what it must.
assert same_lines(["a 0.50 ± 0.02", "...", "z"], ["a 0.51 ± 0.02", "b", "c", "z"]) and same_lines(["..."], [])
assert not same_lines(["a 0.50"], ["a 0.60"]) and not same_lines(["45 runs"], ["46 runs"])
assert not same_lines(["a"], ["a", "b"]) and not same_lines(["a", "b"], ["a"]) and not same_lines(["a b"], ["a"])
assert same_lines(["45 of 45 runs, 21.5 a second, 0:00 left"], ["45 of 45 runs, 3 a second, 0:10 left"])
main()
