"""submit as a user calls it: the scripts of all five schedulers against golden files, made-up schedulers that take and refuse
them, and everything that must not be submitted. UPDATE_GOLDEN=1 writes the golden files anew."""
# timeout: 300
# processors: 1
import os
import re
import shutil
import subprocess
import time

PROGRAM, SOURCE = os.environ["EBRSWEEP"], os.environ["SOURCE"]
GOLDEN = os.path.join(SOURCE, "tests/end/golden")
SCHEDULERS = ["slurm", "pbs", "lsf", "flux", "sge"]
SWEEP = """
name: queue
base:
  data: {source: synthetic, classes: 3, predictive: 2, noise: 2, train: 96, test: 64}
  model: {encoder: [8, 4], width: 12}
  train: {epochs: 3, batch: 16}
axes:
  data.modalities: [2, 3]
  seed: {from: 0, count: 4}
"""
SITE = """
account: physics
modules: [openmpi/4.1, hdf5]
setup: export SITE_IS_SET=1
extra: "# a line of the site's own"
"""
SIZE = ["--nodes", "2", "--ranks-per-node", "2", "--time", "1:30:00", "--partition", "fast"]


def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def call(*arguments, code=0, **environment):
    usual = {"HOME": os.getcwd(), "PATH": os.getcwd() + "/bin:" + os.environ["PATH"]}
    surroundings = {**os.environ, **usual, **environment}
    surroundings.pop("XDG_CONFIG_HOME", None)
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=surroundings, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done


def submit(*arguments, code=0, **environment):
    return call("submit", "queue.yaml", *arguments, code=code, **environment)


def refused(code, words, *arguments, **environment):
    done = submit(*arguments, code=code, **environment)
    assert words in done.stderr and done.stdout == "", done


def compare(name, text):
    """What a script says of this machine is replaced; then it must be the golden file."""
    text = text.replace(PROGRAM, "/opt/bin/ebrsweep").replace(os.getcwd(), "/home/user").replace(SOURCE, "/opt/share")
    path = os.path.join(GOLDEN, name + ".sh")
    if os.environ.get("UPDATE_GOLDEN"):
        write(path, text)
    with open(path) as file:
        assert file.read() == text, f"{name}: differs from {path}:\n{text}"
    subprocess.run(["bash", "-n", path], check=True)


def scripts_are_as_documented():
    for scheduler in SCHEDULERS:
        done = submit("--scheduler", scheduler, "-n", *SIZE, "--set", "train.rate=2e-3", "--profile", "site.yaml")
        assert "8 runs, " in done.stderr and "2 nodes of 2 ranks, 90 min, 200 MB a rank" in done.stderr, done.stderr
        compare(scheduler, done.stdout)
        done = submit("--scheduler", scheduler, "-n", "--array", "2", "--nodes", "1", "--ranks-per-node", "2", "--time", "45m",
                      "--report")
        script, after = done.stdout.split("\n# ---- the job behind it ----\n")
        assert script.count("#!/bin/bash") == (2 if scheduler in ("pbs", "flux") else 1)
        compare(scheduler + "-array", "#!/bin/bash" + script.split("#!/bin/bash")[-1])
        compare(scheduler + "-after", after)
        subprocess.run(["shellcheck", "-S", "warning", *(os.path.join(GOLDEN, scheduler + end + ".sh")
                                                         for end in ("", "-array", "-after"))], check=True)
    assert not os.path.exists("queue.h5.job") and not os.path.exists("queue.h5.job.sh")


def sizes_follow_the_prediction():
    """Without a word of the user's: no rank without runs, and twice the predicted time in steps of five minutes."""
    done = submit("--scheduler", "slurm", "-n")
    assert re.search(r"#SBATCH --nodes=1\n#SBATCH --ntasks-per-node=[1-8]\n", done.stdout), done.stdout
    assert "#SBATCH --time=00:05:00" in done.stdout and "--account" not in done.stdout, done.stdout
    os.makedirs(".config/ebrsweep")
    shutil.copy("site.yaml", ".config/ebrsweep/site.yaml")
    assert "#SBATCH --account=physics" in submit("--scheduler", "slurm", "-n").stdout
    assert "#SBATCH --account=other" in submit("--scheduler", "slurm", "-n", "--account", "other").stdout
    shutil.rmtree(".config")


def calls():
    """What the made-up schedulers were called with since the last time."""
    with open("calls") as file:
        lines = file.read().splitlines()
    os.remove("calls")
    return lines


def record():
    with open("queue.h5.job") as file:
        return file.read()


PART = ["--array", "2", "--nodes", "1", "--ranks-per-node", "1", "--time", "45m"]


def made_up_schedulers():
    """Each answers as its manual says, below a line of the site's own; what it was given is kept."""
    os.makedirs("bin")
    own = "echo 'lua: 2 rules' >&2\n"
    answers = {"sbatch": own + "echo '17;cluster'",
               "bsub": own + "cat >/dev/null; echo 'Job <17> is submitted to queue <fast>.'",
               "flux": "[ $1 = jobs ] && cat state || echo \u0192Rq3", "squeue": "[ -e gone ] || echo 17", "bjobs": "cat state"}
    for name, answer in answers.items():
        write("bin/" + name, f"#!/bin/sh\necho {name} \"$@\" >>calls\n{answer}\n", 0o755)
    write("bin/qsub", '#!/bin/sh\necho qsub "$@" >>calls\n[ "$1" = -terse ] && echo 17.1-2:1 || echo 17.server\n', 0o755)
    done = submit(*SIZE, "--report")
    assert "submitted job 17 to slurm, script queue.h5.job.sh" in done.stdout, done
    assert "submitted job 17, which waits for it: report" in done.stdout and "status --watch queue.h5" in done.stdout, done
    assert calls() == ["sbatch --parsable queue.h5.job.sh", "sbatch --parsable --dependency=afterany:17 queue.h5.after.sh"]
    assert record() == "slurm 17 1\n" * 2
    refused(2, "job 17 for queue.h5 is in the queue already; --again submits another", *SIZE)
    assert calls() == ["squeue -h -j 17 -o %i"]
    submit(*SIZE, "--again")
    write("gone", "")
    submit(*SIZE)
    calls()
    for scheduler, expected in (("lsf", "-w ended(17)"), ("sge", "-hold_jid 17")):
        submit("--scheduler", scheduler, *PART)
        assert expected in calls()[1]
    for scheduler, command, job in (("flux", "flux batch", "\u0192Rq3"), ("pbs", "qsub", "17.server")):
        for left in "queue.part-1.h5.finished", "queue.part-2.h5.rounds":
            write(left, "")
        done = submit("--scheduler", scheduler, *PART)
        assert f"submitted job {job} for part 2 of 2" in done.stdout, done
        assert calls() == [f"{command} queue.h5.job-1.sh", f"{command} queue.h5.job-2.sh"]
        assert os.path.exists("queue.h5.after.sh") and record() == f"{scheduler} {job} 2\n" * 2
        assert not [name for name in os.listdir() if name.endswith((".finished", ".rounds"))]


def ended_jobs_are_not_queued():
    """LSF and Flux answer for jobs that have ended, too."""
    for scheduler, waits, ended in (("lsf", "PEND", "DONE"), ("flux", "SCHED", "INACTIVE")):
        write("state", ended + "\n")
        submit("--scheduler", scheduler, *SIZE)
        submit("--scheduler", scheduler, *SIZE)
        write("state", waits + "\n")
        refused(2, "for queue.h5 is in the queue already", "--scheduler", scheduler, *SIZE)
    calls()
    os.remove("queue.h5.job")


def all_or_none():
    """The second part is refused: the first is taken back, and the record is what it was."""
    write("bin/qdel", '#!/bin/sh\necho qdel "$@" >>calls\n', 0o755)
    write("queue.h5.job", "pbs 3.server 2\n")
    write("bin/qstat", "#!/bin/sh\nexit 1\n", 0o755)
    write("bin/qsub", '#!/bin/sh\necho qsub "$@" >>calls\n[ "$1" = queue.h5.job-1.sh ] && echo 17.server && exit\n'
          "echo 'qsub: would exceed limit' >&2; exit 1\n", 0o755)
    done = submit("--scheduler", "pbs", *PART, code=3)
    assert "took job 17.server back" in done.stderr and "pbs refused the job: qsub: would exceed limit" in done.stderr, done
    assert calls() == ["qsub queue.h5.job-1.sh", "qsub queue.h5.job-2.sh", "qdel 17.server"]
    assert record() == "pbs 3.server 2\n"
    write("bin/qdel", "#!/bin/sh\nexit 1\n", 0o755)
    done = submit("--scheduler", "pbs", *PART, code=3)
    assert "job 17.server is in the queue and could not be taken back" in done.stderr, done
    write("bin/qsub", '#!/bin/sh\necho qsub "$@" >>calls\necho 17.server\n', 0o755)
    calls()


def parts_stay_parts():
    """Runs of one array are not done again by another, nor by the whole."""
    write("queue.part-1.h5", "")
    refused(2, "the parts of queue.h5 are of --array 2, not 4: go on with that", "--scheduler", "pbs", *PART, "--array", "4")
    refused(2, "the parts of an --array 2 for queue.h5 are not merged yet", "--scheduler", "pbs", *SIZE)
    submit("--scheduler", "pbs", *PART)
    for left in "queue.part-1.h5", "queue.h5.job":
        os.remove(left)
    call("run", "queue.yaml", "-q", "--max-failures", "1", "--part", "1/8", "-o", "queue.h5")
    refused(2, "queue.h5 is there, and the parts of an --array would do its runs again", "--scheduler", "pbs", *PART)
    os.remove("queue.h5")
    calls()


def put_back_by_a_new_job():
    """PBS without the right to qrerun: the job that takes its place is on record, and the last part submits the merge."""
    write("bin/qrerun", "#!/bin/sh\necho qrerun \"$@\" >>calls\nexit 1\n", 0o755)
    write("bin/mpirun", "#!/bin/sh\nexit 75\n", 0o755)
    submit("--scheduler", "pbs", *PART)
    calls()
    environment = dict(os.environ, PATH=os.getcwd() + "/bin:" + os.environ["PATH"], PBS_JOBID="17.server")
    subprocess.run(["bash", "queue.h5.job-1.sh"], env=environment, check=True, timeout=60)
    assert calls() == ["qrerun 17.server", "qsub queue.h5.job-1.sh"] and record() == "pbs 17.server 2\n" * 3
    with open("queue.h5.part-1.log") as file:
        assert "back into the queue" in file.read()
    write("bin/mpirun", "#!/bin/sh\nexit 0\n", 0o755)
    for part in 2, 1, 1:
        subprocess.run(["bash", f"queue.h5.job-{part}.sh"], env=environment, timeout=60)
    assert calls() == ["qsub queue.h5.after.sh"]
    shutil.rmtree("queue.h5.merging")
    os.remove("queue.h5.job")


def jobs_get_the_users_environment():
    """MPI's own variables, of which it sets many when it begins, are none of a job's business."""
    write("bin/sbatch", "#!/bin/sh\nenv >seen\necho 17\n", 0o755)
    submit(*SIZE, "--scheduler", "slurm", USERS_OWN="kept = whole")
    with open("seen") as file:
        seen = dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line)
    of_the_shell = {"USERS_OWN", "OPENBLAS_CORETYPE", "EBRSWEEP_CHOSE_KERNEL", "OPENBLAS_NUM_THREADS", "PWD", "_", "SHLVL",
                    "OLDPWD"}
    added = {name for name in seen if name not in os.environ} - of_the_shell
    assert seen["USERS_OWN"] == "kept = whole" and not added, added
    write("bin/sbatch", "#!/bin/sh\necho sbatch \"$@\" >>calls\necho 17\n", 0o755)
    os.remove("queue.h5.job")


def a_script_runs():
    """The job itself, with bash in place of a scheduler: all runs in two rounds, and the second puts nothing back."""
    write("bin/scontrol", "#!/bin/sh\necho scontrol \"$@\" >>calls\n", 0o755)
    submit(*SIZE[2:4], "--nodes", "1", "--time", "45m", "--scheduler", "slurm")
    environment = dict(os.environ, PATH=os.getcwd() + "/bin:" + os.environ["PATH"], SLURM_JOB_ID="17")
    with open("queue.h5.job.sh") as file:
        script = file.read()
    write("short.sh", script.replace("--walltime 45m", "--walltime 0:00:01"))
    write("bin/mpirun", "#!/bin/sh\nshift 2\n\"$@\" || exit\n[ -e second ] || { touch second; exit 75; }\n", 0o755)
    done = subprocess.run(["bash", "queue.h5.job.sh"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "back into the queue" in done.stderr, done
    with open("calls") as file:
        assert file.read().splitlines()[-1] == "scontrol requeue 17"
    done = subprocess.run(["bash", "queue.h5.job.sh"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "nothing to do: all 8 runs are in queue.h5" in done.stderr, done
    assert not os.path.exists("queue.h5.rounds")
    write("bin/mpirun", "#!/bin/sh\nexit 75\n", 0o755)
    codes = [subprocess.run(["bash", "queue.h5.job.sh"], env=environment, capture_output=True, timeout=60) for _ in range(3)]
    assert b"3 rounds without a finished run" in codes[2].stderr and codes[2].returncode == 75, codes
    # Whoever ends a job without a warning before does not want it back.
    write("bin/mpirun", "#!/bin/bash\ntrap 'exit 75' USR1\ntouch started\nwhile :; do sleep 0.1; done\n", 0o755)
    with open("calls") as file:
        before = file.read()
    job = subprocess.Popen(["bash", "queue.h5.job.sh"], env=environment, stderr=subprocess.PIPE)
    while not os.path.exists("started"):
        time.sleep(0.05)
    job.terminate()
    assert b"told to end: not put back into the queue" in job.communicate(timeout=60)[1] and job.returncode == 75
    with open("calls") as file:
        assert file.read() == before
    # A launcher that crashes is no round, and nothing to wait for.
    write("bin/mpirun", "#!/bin/bash\nkill -SEGV $$\n", 0o755)
    crashed = subprocess.run(["bash", "queue.h5.job.sh"], env=environment, capture_output=True, timeout=60)
    assert crashed.returncode == 139 and not os.path.exists("queue.h5.rounds"), crashed
    assert submit().stdout == "nothing to submit: all 8 runs are in queue.h5\n"


def what_cannot_be_is_refused():
    refused(2, "there is no scheduler 'torque'; there are slurm", "--scheduler", "torque")
    refused(2, "16 ranks are more than the 8 runs that are to do", "-n", "--scheduler", "slurm", "--nodes", "8",
            "--ranks-per-node", "2")
    refused(2, "--array 9 are more jobs than the 8 runs", "-n", "--scheduler", "slurm", "--array", "9")
    refused(2, "a walltime of 1 s is shorter than the longest run, which is predicted to take", "-n", "--scheduler", "slurm",
            "--time", "0:00:01", "--set", "train.epochs=1000000")
    for wrong in "soon", "0", "1:2", "-5", "3w":
        refused(2, f"'{wrong}' is no walltime: 90 (minutes), 1:30:00", "-n", "--scheduler", "slurm", "--time", wrong)
    for option, word in ("--account", "two words"), ("--partition", "fast\n#SBATCH -N 9"), ("-o", "my results.h5"):
        shown = word.replace("\n", "?")  # a message is one line
        refused(2, f"'{shown}' has a blank or a special character", "-n", "--scheduler", "slurm", option, word)
    refused(2, "the partition '' is empty", "-n", "--scheduler", "slurm", "--partition", "")
    refused(2, "--nodes wants a whole number from 1 to 1000000, not 'x'", "--nodes", "x")
    refused(2, "there is no option '--fast'", "--fast")
    refused(2, "option '--time' needs a value", "--time")
    refused(2, "'more' is left over", "more")
    assert "which sweep file?" in call("submit", code=2).stderr
    refused(2, "none.yaml: No such file", "--profile", "none.yaml")
    write("typo.yaml", "partitoin: fast\n")
    refused(2, "typo.yaml:1:1: a site has no 'partitoin' (did you mean 'partition'?)", "--profile", "typo.yaml")
    write("list.yaml", "account: [a, b]\n")
    refused(2, "list.yaml:1:10: account wants one word", "--profile", "list.yaml")
    write("deep.yaml", "modules: [{a: b}]\n")
    refused(2, "deep.yaml:1:11: modules is a list of words", "--profile", "deep.yaml")
    refused(3, "no scheduler is found here (sbatch, qsub, bsub, flux)", PATH="/nowhere")
    refused(3, "there is no job template slurm.requeue.sh.in in EBRSWEEP_TEMPLATES", "-n", "--scheduler", "slurm",
            EBRSWEEP_TEMPLATES="/nowhere")
    os.makedirs("odd", exist_ok=True)
    write("odd/slurm.sh.in", "{{nonsense}}\n")
    write("odd/body.sh.in", "true\n")
    write("odd/slurm.requeue.sh.in", "true\n")
    refused(3, "a job template asks for 'nonsense', which nothing sets", "-n", "--scheduler", "slurm", EBRSWEEP_TEMPLATES="odd")


def a_file_in_use():
    """Another job writes the results: nothing is submitted. The writer is a sweep that would take minutes."""
    os.makedirs("bin")
    write("bin/sbatch", "#!/bin/sh\necho sbatch \"$@\" >>calls\necho 17\n", 0o755)
    writer = subprocess.Popen([PROGRAM, "run", "queue.yaml", "-q", "--set", "train.epochs=1000000"])
    try:
        end = time.monotonic() + 30
        while not os.path.exists("queue.h5"):
            assert time.monotonic() < end
            time.sleep(0.1)
        refused(2, "queue.h5 is being written by process ", *SIZE, "--set", "train.epochs=1000000")
        assert not os.path.exists("calls")
    finally:
        writer.kill()
        writer.wait()
    os.remove("queue.h5")
    shutil.rmtree("bin")


def schedulers_that_refuse():
    os.makedirs("bin", exist_ok=True)
    write("bin/sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition specified: fast' >&2\nexit 1\n", 0o755)
    refused(3, "slurm refused the job: sbatch: error: invalid partition specified: fast", *SIZE, "--scheduler", "slurm")
    write("bin/sbatch", "#!/bin/sh\nexit 1\n", 0o755)
    refused(3, "slurm refused the job: it said nothing", *SIZE, "--scheduler", "slurm")
    write("bin/bsub", "#!/bin/sh\necho well\n", 0o755)
    refused(3, "lsf answered 'well', which names no job", *SIZE, "--scheduler", "lsf")
    assert not os.path.exists("queue.h5.job")
    shutil.rmtree("bin")


write("queue.yaml", SWEEP)
write("site.yaml", SITE)
scripts_are_as_documented()
sizes_follow_the_prediction()
what_cannot_be_is_refused()
a_file_in_use()
schedulers_that_refuse()
made_up_schedulers()
ended_jobs_are_not_queued()
all_or_none()
parts_stay_parts()
put_back_by_a_new_job()
jobs_get_the_users_environment()
a_script_runs()
