"""A sweep in a real Slurm: warned and put back until it is done, as an array that is merged, cancelled and resumed, with a
node's daemon killed in the middle; always with the runs of an undisturbed job in the end."""
# processors: 1
# timeout: 240
import os
import subprocess
import sys
import time

import h5py

sys.path.insert(0, os.environ["SOURCE"] + "/tests")
import queue_tools
from queue_tools import PROGRAM, RUNS, SOURCE, call, content, done_runs, logs, status, submit, undisturbed

CLUSTER, FOLDER = os.path.join(SOURCE, "tests/slurm_cluster.sh"), os.path.join(os.getcwd(), "cluster")


def wait_for(what, ready):
    queue_tools.wait_for(what, ready, ["scontrol", "show", "jobs"])


def state(job, *options):
    return call("squeue", "-h", "-j", job, "-o", "%T", *options).stdout.split()


def wait_for_job(job):
    wait_for(f"job {job} to end", lambda: {"COMPLETED", "CANCELLED", "FAILED"} >= set(state(job, "-t", "all")))


def wait_for_first_runs(path):
    wait_for("the first runs", lambda: 0 < done_runs(path) < RUNS - 2)


def warned_and_put_back(whole):
    (job,) = submit("-o", "warned.h5", nodes=2, ranks=1)
    wait_for_first_runs("warned.h5")
    call("scancel", "--batch", "--signal=USR1", job)
    wait_for("the job to be put back", lambda: state(job) == ["PENDING"]
             and call("sinfo", "-h", "-t", "idle", "-o", "%D").stdout.strip() == "2")
    # Slurm lets a job that is put back wait for two minutes, so that word of its first end cannot be taken for the second's.
    time.sleep(4)
    call("scontrol", "update", f"jobid={job}", "StartTime=now")
    wait_for("the second round", lambda: done_runs("warned.h5") == RUNS)
    wait_for_job(job)
    log = logs()["warned.h5.log"]
    assert log.count("back into the queue") == 1 and "the same command goes on" in log, log
    assert content("warned.h5") == whole
    with h5py.File("warned.h5") as file:
        assert len(set(file["runs"]["rank"])) == 2


def an_array_is_merged(whole):
    array, after = submit("-o", "array.h5", "--array", "2", "--report", ranks=1)
    wait_for("the merged file", lambda: os.path.exists("array.h5"))
    wait_for_job(after)
    assert content("array.h5") == whole and done_runs("array.part-1.h5") == RUNS / 2, array
    with open("array.html") as page:
        assert "<html" in page.read(200), logs()


def cancelled_and_resumed(whole):
    (job,) = submit("-o", "cancelled.h5", nodes=2, ranks=1)
    wait_for_first_runs("cancelled.h5")
    assert "already; --again submits another" in call(
        PROGRAM, "submit", "queued.yaml", "-o", "cancelled.h5", "--nodes", "1", "--ranks-per-node", "1", code=2).stderr
    call("scancel", job)
    wait_for_job(job)
    # Slurm calls the job cancelled before its processes are gone, and submit refuses a file that is being written.
    wait_for("its processes to end", lambda: not status("cancelled.h5")["writer"])
    assert done_runs("cancelled.h5") < RUNS
    (job,) = submit("-o", "cancelled.h5", nodes=2, ranks=1)
    wait_for_job(job)
    assert content("cancelled.h5") == whole


def a_daemon_is_killed(whole):
    (job,) = submit("-o", "killed.h5", nodes=2, ranks=1)
    wait_for_first_runs("killed.h5")
    subprocess.run(["bash", CLUSTER, "kill-node", FOLDER, "2"], check=True)
    time.sleep(1)
    subprocess.run(["bash", CLUSTER, "start-node", FOLDER, "2"], check=True)
    wait_for_job(job)
    assert content("killed.h5") == whole


def all_experiments_in_one(whole):
    """jobs/reproduce.sh as a batch script, in a checkout of links whose only sweep is this one."""
    for name, target in (("jobs", f"{SOURCE}/jobs"), ("analysis", f"{SOURCE}/analysis"), ("build/release/ebrsweep", PROGRAM)):
        os.makedirs(os.path.dirname(f"tree/{name}"), exist_ok=True)
        os.symlink(target, f"tree/{name}")
    for name in ("sweeps", "results/data"):
        os.makedirs(f"tree/{name}")
    os.link("queued.yaml", "tree/sweeps/queued.yaml")
    for name in ("mfeat", "avmnist"):
        open(f"tree/results/data/{name}.h5", "w").close()
    options = ["--parsable", "-N", "2", "--ntasks-per-node", "1", "-t", "10", "-o", "../tree.log", "--open-mode=append"]
    answer = subprocess.run(["sbatch", *options, "jobs/reproduce.sh", "queued"], cwd="tree", capture_output=True, text=True,
                            check=False)
    assert answer.returncode == 0, answer
    job = answer.stdout.strip()
    wait_for_first_runs("tree/results/queued.h5")
    # As when its time is over.
    call("pkill", "-USR1", "-f", "^mpirun .* run sweeps/queued.yaml")
    wait_for("the job to put itself back", lambda: state(job) == ["PENDING"]
             and call("sinfo", "-h", "-t", "idle", "-o", "%D").stdout.strip() == "2")
    time.sleep(4)
    call("scontrol", "update", f"jobid={job}", "StartTime=now")
    wait_for_job(job)
    assert content("tree/results/queued.h5") == whole, logs()


def what_slurm_refuses():
    done = call(PROGRAM, "submit", "queued.yaml", "-o", "none.h5", "--nodes", "1", "--ranks-per-node", "1",
                "--partition", "none", code=3)
    assert "slurm refused the job: sbatch: error: invalid partition specified: none" in done.stderr, done
    assert call("squeue", "-h").stdout == ""


os.environ["PATH"] = "/usr/bin:" + os.environ["PATH"]  # the Python whose packages jobs/setup.sh installs
try:
    os.environ["SLURM_CONF"] = queue_tools.start_cluster(CLUSTER, FOLDER)
    expected = undisturbed()
    warned_and_put_back(expected)
    an_array_is_merged(expected)
    cancelled_and_resumed(expected)
    a_daemon_is_killed(expected)
    all_experiments_in_one(expected)
    what_slurm_refuses()
finally:
    queue_tools.stop_cluster(CLUSTER, FOLDER)
