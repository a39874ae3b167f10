#!/usr/bin/env python3
"""The work of the example debian_archive: snapshot, split, parse, load. Python's standard library, apt-cache and psql.

A record is a paragraph of "Field: value" lines, as in every Debian control file; lines that begin with a blank continue.
A task's output is the JSON that it leaves in the file $HEADRACE_OUTPUT.
"""
import datetime
import glob
import json
import os
import shutil
import subprocess
import sys


def folder():
    return os.environ["ARCHIVE_FOLDER"]


def records(path):
    """Each record of a file, as its bytes."""
    lines = []
    with open(path, "rb") as file:
        for line in file:
            if line.strip():
                lines.append(line)
            elif lines:
                yield b"".join(lines)
                lines = []
    if lines:
        yield b"".join(lines)


def fields(record):
    """The first lines of a record's fields."""
    found = {}
    for line in record.decode("utf-8", "replace").split("\n"):
        if line[:1] not in ("", " ", "\t"):
            name, _, value = line.partition(":")
            found[name] = value.strip()
    return found


# ---- snapshot -------------------------------------------------------------------------------------------------------

def snapshot(day):
    day = day or os.environ.get("HEADRACE_CTX_LOGICAL_DATE", "")[:10] or datetime.date.today().isoformat()
    work = os.path.join(folder(), day)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    path = os.path.join(work, "packages.txt")
    source = "apt-cache dumpavail"
    with open(path, "wb") as file:
        subprocess.run(["apt-cache", "dumpavail"], stdout=file, check=True)
    count = sum(1 for _ in records(path))
    if count == 0 and os.path.exists("/var/lib/dpkg/status"):
        print("the package index is empty: the packages that dpkg knows are taken instead", file=sys.stderr)
        source = "/var/lib/dpkg/status"
        shutil.copyfile(source, path)
        count = sum(1 for _ in records(path))
    if count == 0:
        print("HEADRACE_HARD_ERROR neither apt-cache nor dpkg knows any package on this machine", file=sys.stderr)
        sys.exit(1)
    return {"day": day, "source": source, "path": path, "records": count}


# ---- split ----------------------------------------------------------------------------------------------------------

def split(path):
    work = os.path.join(os.path.dirname(path), "parts")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    files, parts = {}, {}
    for record in records(path):
        section = fields(record).get("Section") or "none"
        if section not in files:
            name = os.path.join(work, section.replace("/", "-") + ".txt")
            files[section] = open(name, "wb")
            parts[section] = {"section": section, "path": name, "records": 0}
        files[section].write(record + b"\n")
        parts[section]["records"] += 1
    for file in files.values():
        file.close()
    return {"parts": sorted(parts.values(), key=lambda part: -part["records"])}


# ---- parse: called by the python operator ---------------------------------------------------------------------------

def copy_text(*cells):
    """A line of PostgreSQL's COPY."""
    escaped = (str(cell).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for cell in cells)
    return "\t".join(escaped) + "\n"


def bare_names(clause):
    """"libc6 (>= 2.36) | libc6-udeb:any [amd64]" -> libc6, libc6-udeb"""
    return [word.split()[0].split(":")[0] for word in clause.split("|") if word.strip()]


def parse(section, path):
    base = path[: -len(".txt")]
    packages = needs = 0
    with open(base + ".package", "w") as out, open(base + ".dependency", "w") as dependencies, \
            open(base + ".name", "w") as names:
        for record in records(path):
            field = fields(record)
            package = field["Package"]
            out.write(copy_text(package, field.get("Version", ""), field.get("Architecture", ""), section,
                                field.get("Priority", ""), field.get("Maintainer", ""), int(field.get("Size", 0)),
                                int(field.get("Installed-Size", 0))))
            packages += 1
            names.write(copy_text(package))
            for provided in filter(str.strip, field.get("Provides", "").split(",")):
                names.write(copy_text(*bare_names(provided)))
            for kind in ("Pre-Depends", "Depends"):
                for clause in filter(str.strip, field.get(kind, "").split(",")):
                    dependencies.write(copy_text(package, kind, "{" + ",".join(bare_names(clause)) + "}"))
                    needs += 1
    print(f"{section}: {packages} packages, {needs} dependencies")
    return {"section": section, "packages": packages, "dependencies": needs}


# ---- load -----------------------------------------------------------------------------------------------------------

def copy_in(script, table, columns, pattern):
    for path in sorted(glob.glob(pattern)):
        script.append(f"\\copy {table} ({columns}) FROM '{path}'")


def load(day, source, count):
    parts = os.path.join(folder(), day, "parts")
    script = [
        "BEGIN;",
        "SELECT pg_advisory_xact_lock(hashtext('archive.load'));",
        f"DELETE FROM archive.package WHERE day = '{day}';",
        f"DELETE FROM archive.dependency WHERE day = '{day}';",
        f"DELETE FROM archive.name WHERE day = '{day}';",
        "CREATE TEMP TABLE new_package (LIKE archive.package) ON COMMIT DROP;",
        "CREATE TEMP TABLE new_dependency (LIKE archive.dependency) ON COMMIT DROP;",
        "CREATE TEMP TABLE new_name (name text) ON COMMIT DROP;",
        f"ALTER TABLE new_package ALTER day SET DEFAULT '{day}';",
        f"ALTER TABLE new_dependency ALTER day SET DEFAULT '{day}';",
    ]
    copy_in(script, "new_package", "package, version, architecture, section, priority, maintainer, size_bytes, "
                                   "installed_kib", os.path.join(parts, "*.package"))
    copy_in(script, "new_dependency", "package, kind, alternatives", os.path.join(parts, "*.dependency"))
    copy_in(script, "new_name", "name", os.path.join(parts, "*.name"))
    script += [
        "INSERT INTO archive.package SELECT * FROM new_package;",
        "INSERT INTO archive.dependency SELECT * FROM new_dependency;",
        f"INSERT INTO archive.name SELECT DISTINCT date '{day}', name FROM new_name;",
        f"INSERT INTO archive.load (day, source, records) VALUES ('{day}', '{source}', {int(count)})"
        " ON CONFLICT (day) DO UPDATE SET source = excluded.source, records = excluded.records, loaded_at = now();",
        "COMMIT;",
        "ANALYZE archive.package, archive.dependency, archive.name;",
    ]
    subprocess.run(["psql", "-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", "-"],
                   input="\n".join(script), text=True, check=True)
    answer = subprocess.run(["psql", "-XAt", "-F", " ", "-c",
                             f"SELECT (SELECT count(*) FROM archive.package WHERE day = '{day}'),"
                             f" (SELECT count(*) FROM archive.dependency WHERE day = '{day}')"],
                            capture_output=True, text=True, check=True)
    packages, needs = answer.stdout.split()
    return {"day": day, "packages": int(packages), "dependencies": int(needs)}


if __name__ == "__main__":
    verbs = {"snapshot": snapshot, "split": split, "load": load}
    with open(os.environ["HEADRACE_OUTPUT"], "w") as output:  # JSON, so that xcom.load.packages finds its way inside
        json.dump(verbs[sys.argv[1]](*sys.argv[2:]), output)
