#!/usr/bin/env python3
"""Makes a dataset of MIMIC-IV: each admission with a stay in intensive care, as demographics, diagnoses, procedures,
medications and laboratory values, with in-hospital mortality or readmission within 15 days as the label.

Reads the published tables (hosp/*.csv, icu/*.csv, gzipped or not), which need a licence from PhysioNet. No patient is both
in training and in test. A modality of which an admission has no row is marked absent. Codes and drugs that become
features are the most frequent among training admissions, and laboratory values are centred on their training mean.
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import dataset

WHERE = ("get it from https://physionet.org/content/mimiciv/ (version 2.0 or newer; a credentialed account is needed) and "
         "keep the folders hosp and icu")
COLUMNS = {
    "hosp/patients": ("subject_id", "gender", "anchor_age", "anchor_year"),
    "hosp/admissions": ("subject_id", "hadm_id", "admittime", "dischtime", "admission_type", "insurance", "race",
                        "marital_status", "hospital_expire_flag"),
    "hosp/diagnoses_icd": ("hadm_id", "icd_code", "icd_version"),
    "hosp/procedures_icd": ("hadm_id", "icd_code", "icd_version"),
    "hosp/prescriptions": ("hadm_id", "starttime", "drug"),
    "hosp/labevents": ("hadm_id", "itemid", "charttime", "valuenum"),
    "icu/icustays": ("hadm_id", "first_careunit", "intime")}
TIMES = ("admittime", "dischtime", "starttime", "charttime", "intime")
CATEGORIES = ("gender", "admission_type", "insurance", "race", "marital_status", "first_careunit")
CHUNK = 2_000_000  # rows of the two long tables that are in memory at once
CATEGORIES_MOST = 12
READMISSION_DAYS = 15
TEST_SHARE = 0.3


# ---- tables --------------------------------------------------------------------------------------------------------

def find(folder, table):
    for ending in (".csv.gz", ".csv"):
        path = folder / (table + ending)
        if path.is_file():
            return path
    raise dataset.DatasetError(f"{folder}: has no {table}.csv.gz or {table}.csv; {WHERE}")


def chunks(folder, table):
    """The table's needed columns, some rows at a time, with times read as times."""
    path, wanted = find(folder, table), list(COLUMNS[table])
    try:
        header = pd.read_csv(path, nrows=0).columns
        for name in wanted:
            dataset.need(name in header, f"{path}: has no column {name}, so it is no table of MIMIC-IV 2.0 or newer; {WHERE}")
        for rows in pd.read_csv(path, usecols=wanted, chunksize=CHUNK, dtype={"icd_code": str, "drug": str}):
            for name in set(TIMES) & set(wanted):
                rows[name] = pd.to_datetime(rows[name])
            yield rows
    except (ValueError, OSError, EOFError) as reason:
        raise dataset.DatasetError(f"{path}: cannot be read as a table ({reason}); {WHERE}") from None


def read(folder, table, keep=lambda rows: rows):
    return pd.concat([keep(rows) for rows in chunks(folder, table)], ignore_index=True)


# ---- samples -------------------------------------------------------------------------------------------------------

def readmitted(admissions):
    """Whether the same patient is admitted again within 15 days of leaving."""
    ordered = admissions.sort_values(["subject_id", "admittime"])
    gap = ordered.groupby("subject_id")["admittime"].shift(-1) - ordered["dischtime"]
    again = (gap >= pd.Timedelta(0)) & (gap <= pd.Timedelta(days=READMISSION_DAYS))
    return again.reindex(admissions.index)


def admissions_of(folder, label):
    """One row an admission with intensive care, its label and the start of its first stay."""
    admissions = read(folder, "hosp/admissions").drop_duplicates("hadm_id")
    died = admissions["hospital_expire_flag"] == 1
    admissions["label"] = died if label == "mortality" else readmitted(admissions)
    if label == "readmission":
        admissions = admissions[~died]
    stays = read(folder, "icu/icustays").sort_values("intime").drop_duplicates("hadm_id")
    patients = read(folder, "hosp/patients")
    made = admissions.merge(stays, on="hadm_id").merge(patients, on="subject_id")
    dataset.need(len(made) > 0, f"{folder}: no admission of hosp/admissions has a stay in icu/icustays; {WHERE}")
    made["age"] = made["anchor_age"] + made["admittime"].dt.year - made["anchor_year"]
    return made.sort_values("hadm_id").reset_index(drop=True)


def split_of(samples, seed):
    """1 for the admissions of 30 % of the patients."""
    patients = np.sort(samples["subject_id"].unique())
    np.random.default_rng(seed).shuffle(patients)
    return samples["subject_id"].isin(patients[:round(TEST_SHARE * len(patients))]).to_numpy().astype(np.uint8)


# ---- modalities ----------------------------------------------------------------------------------------------------

def demographics(samples, train):
    parts = [samples["age"].to_numpy(float)[:, None]]
    for name in CATEGORIES:
        values = samples[name].fillna("unknown").astype(str)
        common = values[train].value_counts(sort=True).index[:CATEGORIES_MOST]
        parts += [(values == value).to_numpy(float)[:, None] for value in sorted(common)]
    return np.hstack(parts), np.ones(len(samples), np.uint8)


def flags(samples, rows, train, most):
    """(N x most): 1 where an admission has the code; rows: columns place (of the sample) and code."""
    rows = rows.drop_duplicates()
    counts = rows[train[rows["place"].to_numpy(int)]]["code"].value_counts()
    common = sorted(counts.index, key=lambda code: (-counts[code], code))[:most]
    known = rows[rows["code"].isin(common)]
    values = np.zeros((len(samples), max(1, len(common))))
    column = {code: k for k, code in enumerate(common)}
    values[known["place"].to_numpy(int), known["code"].map(column).to_numpy(int)] = 1
    return values, samples.index.isin(rows["place"]).astype(np.uint8)


def codes(folder, table, place):
    def keep(rows):
        rows = rows[rows["hadm_id"].isin(place.index)].dropna(subset=["icd_code"])
        code = rows["icd_version"].astype(str) + ":" + rows["icd_code"].str.strip()
        return pd.DataFrame({"place": rows["hadm_id"].map(place), "code": code})

    return read(folder, table, keep)


def early(rows, place, start, time, hours):
    """Rows of the admissions, from their beginning to so many hours after intensive care began."""
    rows = rows[rows["hadm_id"].isin(place.index)]
    since = rows[time] - rows["hadm_id"].map(start)
    return rows[since <= pd.Timedelta(hours=hours)]


def drugs(folder, place, start, hours):
    def keep(rows):
        rows = early(rows.dropna(subset=["hadm_id", "drug"]), place, start, "starttime", hours)
        return pd.DataFrame({"place": rows["hadm_id"].map(place), "code": rows["drug"].str.strip().str.lower()})

    return read(folder, "hosp/prescriptions", keep)


def laboratory(folder, samples, place, start, train, chosen):
    """(N x items): an admission's mean of each of the most frequent items, less that item's training mean; 0 if not taken."""
    def keep(rows):
        rows = early(rows.dropna(subset=["hadm_id", "valuenum"]), place, start, "charttime", chosen.hours)
        return pd.DataFrame({"place": rows["hadm_id"].map(place), "item": rows["itemid"], "value": rows["valuenum"]})

    means = read(folder, "hosp/labevents", keep).groupby(["place", "item"])["value"].mean().unstack()
    means = means.reindex(samples.index)
    taken = means[train].notna().sum()
    items = sorted(taken.index[taken > 0], key=lambda item: (-taken[item], item))[:chosen.labs]
    dataset.need(len(items) > 0, f"{folder}: hosp/labevents has no value of the training admissions; {WHERE}")
    here = means.notna().any(axis=1).to_numpy().astype(np.uint8)
    means = means[items]
    return (means - means[train].mean()).fillna(0).to_numpy(), here


def make(chosen):
    dataset.need(chosen.folder.is_dir(), f"{chosen.folder}: is no folder with hosp and icu; {WHERE}")
    samples = admissions_of(chosen.folder, chosen.label)
    split = split_of(samples, chosen.seed)
    train = split == 0
    place = pd.Series(samples.index, index=samples["hadm_id"])
    start = samples.set_index("hadm_id")["intime"]
    made = {
        "demographics": demographics(samples, train),
        "diagnoses": flags(samples, codes(chosen.folder, "hosp/diagnoses_icd", place), train, chosen.codes),
        "procedures": flags(samples, codes(chosen.folder, "hosp/procedures_icd", place), train, chosen.codes),
        "medications": flags(samples, drugs(chosen.folder, place, start, chosen.hours), train, chosen.codes),
        "labs": laboratory(chosen.folder, samples, place, start, train, chosen)}
    return {name: values for name, (values, _) in made.items()}, samples["label"].to_numpy().astype(int), {
        "split": split, "present": np.stack([here for _, here in made.values()], axis=1),
        "name": f"MIMIC-IV, {chosen.label}", "licence": "PhysioNet Credentialed Health Data License 1.5.0",
        "source": "A. Johnson et al.: MIMIC-IV, PhysioNet, doi:10.13026/6mm1-ek67",
        "class_names": ["survived", "died"] if chosen.label == "mortality" else ["not readmitted", "readmitted"]}


def add_arguments(parser):
    parser.add_argument("folder", type=Path, help="where MIMIC-IV's folders hosp and icu are")
    parser.add_argument("--label", choices=("mortality", "readmission"), default="mortality",
                        help="death in hospital, or readmission within 15 days of those who survived")
    parser.add_argument("--hours", type=float, default=48, help="medications and laboratory values up to so many hours after "
                        "intensive care began")
    parser.add_argument("--codes", type=int, default=200, help="codes a modality, and drugs")
    parser.add_argument("--labs", type=int, default=50, help="laboratory items")
    parser.add_argument("--seed", type=int, default=0, help="picks the patients kept for test")


if __name__ == "__main__":
    sys.exit(dataset.convert(__doc__, add_arguments, make))
