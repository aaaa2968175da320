"""The README's table of the law: rows are regimes, columns methods; what was not fitted or not tried shows no number."""
# processors: 1
import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "analysis" / "law_table.py"


def judged(group, verdict, gamma=None, interval=None):
    fit = {"parameters": {"c": 2.0, "gamma": gamma}, "interval": {"c": [1, 3], "gamma": interval}}
    return {"group": group, "verdict": verdict, "forms": {"pairs-power": fit} if interval else None}


Path("dense.law.json").write_text(json.dumps([
    judged({"method": "vanilla", "ebr.lambda": 0.3}, "refuted", 0.8851, [0.856, 0.9124]),
    judged({"method": "ebr", "ebr.lambda": 0.0}, "supported", 1.0, [0.96, 1.04])]))
Path("capacity.law.json").write_text(json.dumps([
    judged({"model.width": 40.0, "train.loss": "reconstruction", "method": "ebr", "ebr.lambda": 0.3}, "cannot tell"),
    judged({"model.width": 40.0, "train.loss": "reconstruction", "method": "vanilla"}, "refuted", 0.3, [0.2, 0.4])]))
answer = subprocess.run([sys.executable, PROGRAM, "dense.law.json", "capacity.law.json"], capture_output=True,
                        text=True, check=True, encoding="utf-8").stdout
assert answer.splitlines() == [
    "| regime | vanilla | ebr, λ = 0 | ebr, λ = 0.3 |",
    "| --- | --- | --- | --- |",
    "| dense | 0.885 [0.856, 0.912] refuted | 1.000 [0.960, 1.040] supported |  |",
    "| capacity, model.width 40, train.loss reconstruction | 0.300 [0.200, 0.400] refuted |  | cannot tell |",
], answer
usage = subprocess.run([sys.executable, PROGRAM], capture_output=True, text=True)
assert usage.returncode != 0 and "usage: " in usage.stderr, usage
