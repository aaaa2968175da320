"""MIMIC-IV's converter on made-up tables of the published schema: every feature and label counted again without pandas."""
# processors: 1
import csv
import gzip
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import h5py
import numpy as np

SOURCE = Path(os.environ["SOURCE"])
HEADS = {
    "hosp/patients": "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod",
    "hosp/admissions": "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admit_provider_id,"
                       "admission_location,discharge_location,insurance,language,marital_status,race,edregtime,edouttime,"
                       "hospital_expire_flag",
    "hosp/diagnoses_icd": "subject_id,hadm_id,seq_num,icd_code,icd_version",
    "hosp/procedures_icd": "subject_id,hadm_id,seq_num,chartdate,icd_code,icd_version",
    "hosp/prescriptions": "subject_id,hadm_id,pharmacy_id,poe_id,poe_seq,order_provider_id,starttime,stoptime,drug_type,drug,"
                          "formulary_drug_cd,gsn,ndc,prod_strength,form_rx,dose_val_rx,dose_unit_rx,form_val_disp,"
                          "form_unit_disp,doses_per_24_hrs,route",
    "hosp/labevents": "labevent_id,subject_id,hadm_id,specimen_id,itemid,order_provider_id,charttime,storetime,value,valuenum,"
                      "valueuom,ref_range_lower,ref_range_upper,flag,priority,comments",
    "icu/icustays": "subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime,los"}
DRAW = np.random.default_rng(3)
FORM = "%Y-%m-%d %H:%M:%S"


def rows_of_a_patient(subject, tables):
    """One to three admissions, most with intensive care, some patients back within 15 days."""
    tables["hosp/patients"].append(dict(subject_id=subject, gender="FM"[subject % 2], anchor_age=20 + subject % 60,
                                        anchor_year=2150))
    time = datetime(2150, 3, 1) + timedelta(days=int(DRAW.integers(900)))
    for stay in range(1 + subject % 3):
        hadm, leave = 1000 * subject + stay, time + timedelta(days=4)
        tables["hosp/admissions"].append(dict(
            subject_id=subject, hadm_id=hadm, admittime=time.strftime(FORM), dischtime=leave.strftime(FORM),
            admission_type=DRAW.choice(["URGENT", "EW EMER."]), insurance=DRAW.choice(["Medicare", "Other"]),
            race=DRAW.choice(["WHITE", "ASIAN"]), marital_status=DRAW.choice(["MARRIED", ""]),
            hospital_expire_flag=int(stay == subject % 3 and subject % 4 == 0)))
        if subject % 7:
            begin = time + timedelta(hours=5)
            tables["icu/icustays"].append(dict(subject_id=subject, hadm_id=hadm, stay_id=hadm, first_careunit="MICU",
                                               intime=begin.strftime(FORM)))
        for code in DRAW.choice(["I10", "E119", "0389"], size=2):
            tables["hosp/diagnoses_icd"].append(dict(subject_id=subject, hadm_id=hadm, icd_code=code,
                                                     icd_version=9 if code == "0389" else 10))
        if subject % 5:
            tables["hosp/procedures_icd"].append(dict(subject_id=subject, hadm_id=hadm, icd_code="5A1D", icd_version=10))
        for drug, hours in (("Heparin", 6), ("insulin ", 20), ("Morphine", 90)):
            if DRAW.random() < 0.7:
                tables["hosp/prescriptions"].append(dict(subject_id=subject, hadm_id=hadm, drug=drug, starttime=(
                    time + timedelta(hours=hours)).strftime(FORM)))
        for item in (50912, 50971, 51222):
            for hours in (2, 30, 80):
                tables["hosp/labevents"].append(dict(
                    labevent_id=len(tables["hosp/labevents"]), subject_id=subject, hadm_id=hadm if hours < 80 or item > 51000
                    else "", itemid=item, charttime=(time + timedelta(hours=hours)).strftime(FORM),
                    valuenum=round(float(DRAW.normal(item / 1e4, 1)), 3) if DRAW.random() < 0.9 else ""))
        time = leave + timedelta(days=int(DRAW.choice([3, 15, 40])))


def write_tables(folder):
    tables = {name: [] for name in HEADS}
    for subject in range(1, 61):
        rows_of_a_patient(subject, tables)
    for name, rows in tables.items():
        path = Path(folder, name + (".csv.gz" if name == "hosp/labevents" else ".csv"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with (gzip.open if path.suffix == ".gz" else open)(path, "wt", newline="") as file:
            writer = csv.DictWriter(file, HEADS[name].split(","), restval="")
            writer.writeheader()
            writer.writerows(rows)
    return tables


def convert(*arguments, code=0):
    done = subprocess.run([sys.executable, SOURCE / "analysis/convert_mimic.py", *map(str, arguments)], capture_output=True,
                          text=True)
    assert done.returncode == code and "Traceback" not in done.stderr, done
    return done


def samples_of(tables, label):
    """(admission, start of intensive care, label) in order of hadm_id."""
    starts = {row["hadm_id"]: datetime.strptime(row["intime"], FORM) for row in tables["icu/icustays"]}
    stays = defaultdict(list)
    for row in tables["hosp/admissions"]:
        stays[row["subject_id"]].append(row)
    for own in stays.values():
        for row, after in zip(own, own[1:] + [None]):
            gap = datetime.strptime(after["admittime"], FORM) - datetime.strptime(row["dischtime"], FORM) if after else None
            died = row["hospital_expire_flag"] == 1
            again = gap is not None and gap <= timedelta(days=15)
            row["label"] = int(died) if label == "mortality" else None if died else int(again)
    return sorted(((row, starts[row["hadm_id"]]) for own in stays.values() for row in own
                   if row["hadm_id"] in starts and row["label"] is not None), key=lambda pair: pair[0]["hadm_id"])


def flags(samples, rows, train, most=200):
    """Multi-hot by hand."""
    had = [set() for _ in samples]
    place = {row["hadm_id"]: i for i, (row, _) in enumerate(samples)}
    for hadm, code in rows:
        if hadm in place:
            had[place[hadm]].add(code)
    counts = Counter(code for i, own in enumerate(had) if train[i] for code in own)
    common = sorted(counts, key=lambda code: (-counts[code], code))[:most]
    return np.array([[code in own for code in common] for own in had], float), np.array([bool(own) for own in had])


def labs(samples, rows, train):
    sums = defaultdict(list)
    place = {row["hadm_id"]: i for i, (row, _) in enumerate(samples)}
    for row in rows:
        i = place.get(row["hadm_id"])
        if i is None or row["valuenum"] == "":
            continue
        if datetime.strptime(row["charttime"], FORM) <= samples[i][1] + timedelta(hours=48):
            sums[i, row["itemid"]].append(row["valuenum"])
    items = {item for i, item in sums if train[i]}
    count = {item: sum((i, item) in sums for i in range(len(samples)) if train[i]) for item in items}
    items = sorted(items, key=lambda item: (-count[item], item))
    means = np.array([[np.mean(sums[i, item]) if (i, item) in sums else np.nan for item in items]
                      for i in range(len(samples))])
    return np.nan_to_num(means - np.nanmean(means[train], axis=0)), np.isfinite(means).any(axis=1)


def agrees(tables, label):
    convert("mimic", "--label", label, "-o", f"{label}.h5")
    samples = samples_of(tables, label)
    with h5py.File(f"{label}.h5") as file:
        split, present = file["split"][:], file["present"][:].astype(bool)
        values = {name: file["modality"][name][:] for name in file["modality"].attrs["order"]}
        assert np.array_equal(file["label"][:], [row["label"] for row, _ in samples]), label
        assert 0 < file["label"][:].mean() < 0.7
    train = split == 0
    patients = np.array([row["subject_id"] for row, _ in samples])
    assert not set(patients[train]) & set(patients[~train]) and 0.2 < split.mean() < 0.4
    assert list(values) == ["demographics", "diagnoses", "procedures", "medications", "labs"]
    birth = {row["subject_id"]: row["anchor_age"] - row["anchor_year"] for row in tables["hosp/patients"]}
    ages = [birth[row["subject_id"]] + int(row["admittime"][:4]) for row, _ in samples]
    assert np.array_equal(values["demographics"][:, 0], ages) and present[:, 0].all()
    # Each of the six categories has two values at most here, and each admission one of each.
    assert np.array_equal(values["demographics"][:, 1:].sum(axis=1), np.full(len(samples), 6))
    start = {row["hadm_id"]: begin for row, begin in samples}
    coded = {name: [(row["hadm_id"], f"{row['icd_version']}:{row['icd_code']}") for row in tables[f"hosp/{name}_icd"]]
             for name in ("diagnoses", "procedures")}
    coded["medications"] = [(row["hadm_id"], row["drug"].strip().lower()) for row in tables["hosp/prescriptions"]
                            if row["hadm_id"] in start and datetime.strptime(row["starttime"], FORM)
                            <= start[row["hadm_id"]] + timedelta(hours=48)]
    for place, name in enumerate(("diagnoses", "procedures", "medications"), 1):
        expected, here = flags(samples, coded[name], train)
        assert np.array_equal(values[name], expected) and np.array_equal(present[:, place], here), name
    expected, here = labs(samples, tables["hosp/labevents"], train)
    assert np.allclose(values["labs"], expected, atol=1e-5) and np.array_equal(present[:, 4], here)
    assert values["medications"].shape[1] == 2, "morphine comes after 48 hours"


def is_taken():
    """The program trains on it."""
    Path("sweep.yaml").write_text("name: small\nbase:\n  data: {source: hdf5, file: mortality.h5}\n"
                                  "  train: {batch: 8, epochs: 2}\nmeasure: {unimodal: false}\n", encoding="utf-8")
    done = subprocess.run([os.environ["EBRSWEEP"], "run", "-q", "sweep.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def refuses():
    def refused(words, *arguments):
        done = convert(*arguments, "-o", "refused.h5", code=2)
        assert words in done.stderr and "physionet.org" in done.stderr and not Path("refused.h5").exists(), done

    refused("nothing: is no folder with hosp and icu", "nothing")
    shutil.copytree("mimic", "poor")
    Path("poor/icu/icustays.csv").unlink()
    refused("poor: has no icu/icustays.csv.gz or icu/icustays.csv", "poor")
    Path("poor/icu/icustays.csv").write_text(HEADS["icu/icustays"] + "\n")
    refused("no admission of hosp/admissions has a stay in icu/icustays", "poor")
    Path("poor/icu/icustays.csv").write_text("SUBJECT_ID,HADM_ID\n1,2\n")
    refused("icustays.csv: has no column hadm_id, so it is no table of MIMIC-IV 2.0 or newer", "poor")
    Path("poor/icu/icustays.csv").write_text(HEADS["icu/icustays"] + "\n1,1000,1,MICU,MICU,yesterday,,\n")
    refused("icustays.csv: cannot be read as a table", "poor")
    shutil.copy("mimic/icu/icustays.csv", "poor/icu/icustays.csv")
    with gzip.open("poor/hosp/labevents.csv.gz", "wt") as file:
        file.write(HEADS["hosp/labevents"] + "\n")
    refused("hosp/labevents has no value of the training admissions", "poor")


made_up = write_tables("mimic")
for each in "mortality", "readmission":
    agrees(made_up, each)
is_taken()
refuses()
