"""Line coverage of src/ by module, from the counters (.gcda) of a build with the preset coverage: a table, and with
--missed the lines that were not reached. Ends with 1 below --least percent in all.
  coverage.py BUILD [--least 85] [--missed MODULE]"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys

MODULES = "base sweep schedule data model train measure store law run app".split()


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--least", type=float, default=85)
    parser.add_argument("--missed", choices=MODULES)
    return parser.parse_args()


def counts(build, source):
    """{module: {file: {line: times}}}; objects that never ran count as not reached."""
    notes = sorted(path for target in ("ebrsweep", "ebrsweep_app", "ebrsweep_petsc", "ebrsweep_program")
                   for path in (build / f"CMakeFiles/{target}.dir").rglob("*.gcno"))
    done = subprocess.run(["gcov", "--json-format", "--stdout", *notes], cwd=build, capture_output=True, text=True)
    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    for report in done.stdout.splitlines():
        for file in json.loads(report)["files"]:
            path = pathlib.Path(file["file"])
            if not path.is_relative_to(source / "src"):
                continue
            lines = found[path.relative_to(source / "src").parts[0]][path.name]
            for line in file["lines"]:
                lines[line["line_number"]] = lines.get(line["line_number"], 0) + line["count"]
    if sorted(found) != sorted(MODULES):
        sys.exit(f"coverage: no counts for {set(MODULES) - set(found)} in {build}: {done.stderr[-300:]}")
    return found


def print_missed(files):
    for name, lines in sorted(files.items()):
        missed = sorted(line for line, times in lines.items() if times == 0)
        if missed:
            print(f"  {name:<20} {len(missed):>4}  {' '.join(map(str, missed))}")


def main():
    chosen, source = options(), pathlib.Path(__file__).resolve().parent.parent
    found = counts(chosen.build.resolve(), source)
    print(f"{'module':<10} {'lines':>6} {'reached':>8} {'%':>6}")
    total = [0, 0]
    for module in [*MODULES, None]:
        times = [count for lines in found[module].values() for count in lines.values()] if module else None
        lines, reached = (len(times), sum(count > 0 for count in times)) if module else total
        total = [total[0] + lines, total[1] + reached]
        print(f"{'src/' + module if module else 'all':<10} {lines:>6} {reached:>8} {100 * reached / lines:>6.1f}")
    if chosen.missed:
        print_missed(found[chosen.missed])
    if 100 * reached < chosen.least * lines:
        sys.exit(f"coverage: {100 * reached / lines:.1f} % of src/ was reached, less than {chosen.least:g} %")


if __name__ == "__main__":
    main()
