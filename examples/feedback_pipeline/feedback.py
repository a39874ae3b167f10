#!/usr/bin/env python3
"""The work of the example feedback_pipeline. Each verb is a task; its output is JSON in $HEADRACE_OUTPUT."""
import csv
import datetime
import hashlib
import json
import os
import random
import re
import subprocess
import sys

COLUMNS = ["given_at", "product", "rating", "remark"]
PRODUCTS = ["turbine", "sluice", "wheel"]
REMARKS = ["runs well", "too loud", "arrived late, but works", 'called "excellent" by all', "never again"]


def hard_error(sentence):
    """Fails the task at once, whatever retries it has left."""
    print(f"HEADRACE_HARD_ERROR {sentence}", file=sys.stderr)
    sys.exit(1)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def arrive(delivery, run_id, parts, bad_part):
    if delivery:
        return {"folder": delivery, "delivery": os.path.basename(os.path.normpath(delivery))}
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", run_id)
    folder = os.path.join(os.environ["FEEDBACK_FOLDER"], name)
    os.makedirs(folder, exist_ok=True)
    chance = random.Random(name)  # the same run gets the same delivery, also when it is tried again
    listed = []
    for number in range(1, int(parts) + 1):
        path = os.path.join(folder, f"part-{number}.csv")
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for line in range(chance.randint(20, 60)):
                at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(
                    seconds=chance.randint(0, 86400 * 30))
                rating = 9 if bad_part == "true" and number == min(3, int(parts)) and line == 2 else chance.randint(1, 5)
                writer.writerow([at.isoformat(), chance.choice(PRODUCTS), rating, chance.choice(REMARKS)])
        listed.append({"name": os.path.basename(path), "sha256": digest(path)})
    # The manifest comes last: who sees it may read all that it lists.
    with open(os.path.join(folder, "manifest.json.new"), "w") as file:
        json.dump({"parts": listed}, file, indent=2)
    os.replace(os.path.join(folder, "manifest.json.new"), os.path.join(folder, "manifest.json"))
    return {"folder": folder, "delivery": name}


def manifest(folder):
    path = os.path.join(folder, "manifest.json")
    try:
        with open(path) as file:
            parts = json.load(file)["parts"]
    except FileNotFoundError:
        hard_error(f"{path} is not there")
    except (ValueError, KeyError, TypeError) as error:
        hard_error(f"{path} is no manifest: {error}")
    return {"parts": [{"name": part["name"], "sha256": part["sha256"]} for part in parts]}


def validate(folder, name, sha256):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        hard_error(f"{name} stands in the manifest and is not there")
    if digest(path) != sha256:
        hard_error(f"{name} is not the file that the manifest lists: its SHA-256 is {digest(path)}")
    with open(path, newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != COLUMNS:
            hard_error(f"{name}, line 1: columns must be {', '.join(COLUMNS)}, and are {', '.join(header)}")
        count = 0
        for row in reader:
            where = f"{name}, line {reader.line_num}"
            if len(row) != len(COLUMNS):
                hard_error(f"{where}: {len(row)} columns instead of {len(COLUMNS)}")
            try:
                datetime.datetime.fromisoformat(row[0])
            except ValueError:
                hard_error(f"{where}: {row[0]!r} is no time")
            if row[2] not in ("1", "2", "3", "4", "5"):
                hard_error(f"{where}: a rating is 1 to 5, not {row[2]!r}")
            count += 1
    print(f"{name}: {count} lines, all good")
    return {"name": name, "lines": count}


def copy_text(*cells):
    escaped = (str(cell).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for cell in cells)
    return "\t".join(escaped) + "\n"


def convert(folder, name):
    """CSV to the text form of PostgreSQL's COPY."""
    path = os.path.join(folder, name) + ".copy"
    with open(os.path.join(folder, name), newline="") as source, open(path, "w") as out:
        reader = csv.DictReader(source)
        for row in reader:
            out.write(copy_text(name, reader.line_num, row["given_at"], row["product"], row["rating"], row["remark"]))
    return {"name": name, "path": path}


def load(delivery, name, path):
    script = (r"""
        \set ON_ERROR_STOP 1
        BEGIN;
        CREATE TEMP TABLE arrived (part text, line int, given_at timestamptz, product text, rating smallint, remark text)
            ON COMMIT DROP;
        """ + f"\\copy arrived FROM '{path}'" + r"""
        DELETE FROM feedback WHERE delivery = :'delivery' AND part = :'part';
        INSERT INTO feedback SELECT :'delivery', * FROM arrived;
        COMMIT;
        """)
    script = "\n".join(line.strip() for line in script.splitlines())
    subprocess.run(["psql", "-X", "-q", "-v", f"delivery={delivery}", "-v", f"part={name}", "-f", "-"], input=script,
                   text=True, check=True)
    return {"name": name}


if __name__ == "__main__":
    verbs = {"arrive": arrive, "manifest": manifest, "validate": validate, "convert": convert, "load": load}
    with open(os.environ["HEADRACE_OUTPUT"], "w") as output:
        json.dump(verbs[sys.argv[1]](*sys.argv[2:]), output)
