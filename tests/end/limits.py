"""What ends a job or a run early: walltime, a run's time, failures. Each leaves a file that the next start goes on with."""
# processors: 1
# timeout: 180
import json
import os
import shlex
import subprocess
import time

PROGRAM, MPIRUN = os.environ["EBRSWEEP"], shlex.split(os.environ["MPIRUN"])
PATIENCE = int(os.environ["PATIENCE"])
SWEEP = """
name: limits
base:
  data: {source: synthetic, modalities: 3, classes: 4, predictive: 4, noise: 4, train: 2048, test: 64}
  model: {encoder: [32, 16], width: 64}
  train: {epochs: 10, batch: 32}
axes:
  train.rate: %s
  seed: {from: 0, count: %d}
measure: {every: 0, spectra: []}
"""


def write(path, rates, seeds):
    with open(path, "w") as file:
        file.write(SWEEP % (rates, seeds))


def run(*arguments, code=0, ranks=None, **environment):
    start = MPIRUN + ["-n", str(ranks)] if ranks else []
    begin = time.monotonic()
    done = subprocess.run(start + [PROGRAM, "run", *arguments], capture_output=True, text=True, timeout=100,
                          env={**os.environ, **environment})
    assert done.returncode == code, (arguments, done)
    return done, time.monotonic() - begin


def counts(path):
    return json.loads(subprocess.run([PROGRAM, "status", path, "--json"], capture_output=True, text=True).stdout)


def walltime_ends_a_job():
    """On the option's word, Slurm's and PBS's; and what is left is done by the next start without any."""
    write("long.yaml", "[1e-3]", 4000)
    for ranks, options, environment in ((None, ["--walltime", "0:00:03"], {}), (2, [], {"PBS_WALLTIME": "3"}),
                                        (2, [], {"SLURM_JOB_END_TIME": str(int(time.time()) + 12)})):
        done, seconds = run("long.yaml", "-q", *options, code=75, ranks=ranks, **environment)
        assert "runs left; the same command goes on" in done.stderr and seconds < 12 * PATIENCE, (seconds, done)
    state = counts("limits.h5")
    assert 0 < state["done"] < 4000 and state["running"] == 0 and state["failed"] == 0, state


def a_run_takes_too_long():
    write("slow.yaml", "[1e-3]", 2)
    done, _ = run("slow.yaml", "-q", "-o", "slow.h5", "--run-timeout", "0:00:01", "--set", "train.epochs=100000", code=1)
    assert "2 of 2 runs failed" in done.stderr, done
    assert [failure["reason"] for failure in counts("slow.h5")["failures"]] == ["took longer than 1 s"] * 2


def a_run_without_memory_is_a_failed_run():
    with open("huge.yaml", "w") as file:
        file.write("name: huge\nbase: {data: {modalities: 4, test: 64}, train: {epochs: 1}}\naxes:\n"
                   "  zip: {data.train: [1000000000, 128], data.dimension: [65536, 8]}\nmeasure: {every: 0}\n")
    for ranks in None, 2:
        done, _ = run("huge.yaml", "-q", "-o", f"huge{ranks}.h5", code=1, ranks=ranks,
                      ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":allocator_may_return_null=1")
        assert "1 of 2 runs failed" in done.stderr, done
        state = counts(f"huge{ranks}.h5")
        assert state["done"] == 1 and state["failures"][0]["reason"].startswith("no memory for "), state


def failures_end_a_job():
    for ranks in None, 2:
        write("bad.yaml", "[1000]", 60)
        done, _ = run("bad.yaml", "-q", "-o", f"bad{ranks}.h5", "--max-failures", "3", "--set", "train.optimizer=sgd", code=1,
                      ranks=ranks)
        assert "failed runs with " in done.stderr and "tells why they failed" in done.stderr, done
        state = counts(f"bad{ranks}.h5")
        assert 3 <= state["failed"] <= 3 + (ranks or 1) and state["done"] == 0, state
    done, _ = run("bad.yaml", "-q", "-o", "all.h5", "--max-failures", "61", "--set", "train.optimizer=sgd", code=1)
    assert "60 of 60 runs failed" in done.stderr, done


def wrong_values():
    for option, value, words in (("--walltime", "soon", "'soon' is no walltime"), ("--run-timeout", "0", "'0' is no walltime"),
                                 ("--max-failures", "0", "--max-failures wants a whole number above 0, not '0'"),
                                 ("--max-failures", "x", "wants a whole number above 0, not 'x'")):
        done, _ = run("long.yaml", option, value, code=2)
        assert words in done.stderr, done


walltime_ends_a_job()
a_run_takes_too_long()
a_run_without_memory_is_a_failed_run()
failures_end_a_job()
wrong_values()
