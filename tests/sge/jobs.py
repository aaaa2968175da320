"""A sweep in a real Grid Engine: warned and put back until it is done, and as an array whose parts are merged."""
# processors: 1
# timeout: 180
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
import queue_tools
from queue_tools import RUNS, SOURCE, content, done_runs, logs, submit, undisturbed

CLUSTER, FOLDER = os.path.join(SOURCE, "tests/sge_cluster.sh"), os.path.join(os.getcwd(), "cluster")


def wait_for_job(job):
    queue_tools.wait_for(f"job {job} to end",
                         lambda: subprocess.run(["qstat", "-j", job], capture_output=True).returncode != 0, ["qstat"])


def warned_and_put_back(whole):
    (job,) = submit("--scheduler", "sge", "-o", "warned.h5", ranks=2)
    queue_tools.wait_for("the first runs", lambda: 0 < done_runs("warned.h5") < RUNS - 2, ["qstat"])
    scripts = subprocess.run(["pgrep", "-f", f"job_scripts/{job}"], capture_output=True, text=True).stdout.split()
    assert scripts, logs()
    os.kill(int(scripts[0]), signal.SIGUSR1)  # as s_rt sends it
    wait_for_job(job)
    assert logs()["warned.h5.log"].count("back into the queue") == 1, logs()
    assert content("warned.h5") == whole


def an_array_is_merged(whole):
    array, after = submit("--scheduler", "sge", "-o", "array.h5", "--array", "2", ranks=1)
    wait_for_job(array)
    wait_for_job(after)
    assert content("array.h5") == whole


os.environ.update(SGE_ROOT="/var/lib/gridengine", SGE_CELL="default")
try:
    queue_tools.start_cluster(CLUSTER, FOLDER)
    expected = undisturbed()
    warned_and_put_back(expected)
    an_array_is_merged(expected)
finally:
    queue_tools.stop_cluster(CLUSTER, FOLDER)
