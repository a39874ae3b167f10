#!/usr/bin/env python3
"""Line coverage by room, from what gcov finds below a build folder. Usage: tools/cover.py build/coverage"""
import collections
import json
import os
import subprocess
import sys

build = os.path.abspath(sys.argv[1])
source = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
lines = collections.defaultdict(dict)  # file -> line -> times run
for folder, _, names in os.walk(build):
    notes = [os.path.join(folder, name) for name in names if name.endswith(".gcda")]
    if not notes:
        continue
    answer = subprocess.run(["gcov", "--json-format", "--stdout", *notes], capture_output=True, text=True, cwd=build)
    for document in answer.stdout.splitlines():
        for file in json.loads(document)["files"]:
            path = os.path.relpath(os.path.join(build, file["file"]), source)
            if path.startswith(("..", "build", "tests")):
                continue
            for line in file["lines"]:
                seen = lines[path]
                seen[line["line_number"]] = max(seen.get(line["line_number"], 0), line["count"])

rooms = collections.defaultdict(lambda: [0, 0])
for path, seen in lines.items():
    for key in (os.path.dirname(path), "all"):
        rooms[key][0] += sum(1 for count in seen.values() if count)
        rooms[key][1] += len(seen)
for room in sorted(rooms, key=lambda name: (name == "all", name)):
    ran, total = rooms[room]
    print(f"{room:24} {100 * ran / max(total, 1):6.1f} %   {ran:6} of {total:6} lines")
