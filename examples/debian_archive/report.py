#!/usr/bin/env python3
"""The report of the example debian_archive: one HTML page with a picture (SVG), from the warehouse alone."""
import html
import json
import os
import subprocess
import sys

ROW_HEIGHT, LABEL_WIDTH, BAR_WIDTH = 22, 130, 560


def ask(statement):
    answer = subprocess.run(["psql", "-XAt", "-F", "\t", "-c", statement], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in answer.stdout.splitlines()]


def bars(rows):
    """Horizontal bars, one a row of (label, value, note); each has a title for those who point at it."""
    most = max(value for _, value, _ in rows)
    lines = []
    for place, (label, value, note) in enumerate(rows):
        top, width = place * ROW_HEIGHT, max(1, round(BAR_WIDTH * value / most))
        lines.append(
            f'<g transform="translate(0 {top})"><title>{html.escape(f"{label}: {note}")}</title>'
            f'<text x="{LABEL_WIDTH - 8}" y="15" text-anchor="end">{html.escape(label)}</text>'
            f'<rect x="{LABEL_WIDTH}" y="3" width="{width}" height="{ROW_HEIGHT - 6}" rx="2"/>'
            f'<text x="{LABEL_WIDTH + width + 6}" y="15" class="n">{html.escape(note)}</text></g>')
    height = len(rows) * ROW_HEIGHT
    return (f'<svg viewBox="0 0 {LABEL_WIDTH + BAR_WIDTH + 130} {height}" role="img" '
            f'aria-label="packages by section">{"".join(lines)}</svg>')


def main(day):
    source, records, loaded_at = ask(f"SELECT source, records, to_char(loaded_at, 'YYYY-MM-DD HH24:MI:SS \"UTC\"') "
                                     f"FROM archive.load WHERE day = '{day}'")[0]
    sections = [(section, int(count), f"{int(count):,}") for section, count in ask(
        f"SELECT section, count(*) FROM archive.package WHERE day = '{day}' GROUP BY section "
        f"ORDER BY count(*) DESC, section LIMIT 30")]
    wanted = ask(f"SELECT wanted, count(*) FROM archive.dependency, unnest(alternatives) AS wanted "
                 f"WHERE day = '{day}' GROUP BY wanted ORDER BY count(*) DESC, wanted LIMIT 12")
    total = ask(f"SELECT count(*), count(DISTINCT section), round(sum(size_bytes) / 1e9, 1), count(DISTINCT maintainer) "
                f"FROM archive.package WHERE day = '{day}'")[0]
    days = ask("SELECT day, records FROM archive.load ORDER BY day DESC LIMIT 10")
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Debian archive, {day}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 860px; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }}
svg {{ width: 100%; font-size: 12px }} rect {{ fill: #2f7f8f }} text {{ fill: #1c2733 }} .n {{ fill: #5a6b7b }}
table {{ border-collapse: collapse }} td, th {{ padding: .15rem .8rem; text-align: left; border-bottom: 1px solid #dde4ea }}
</style>
<h1>Debian archive, {day}</h1>
<p><b>{int(total[0]):,}</b> packages in <b>{total[1]}</b> sections by <b>{int(total[3]):,}</b> maintainers, {total[2]} GB to fetch.
Read from <code>{html.escape(source)}</code> ({int(records):,} records), loaded {loaded_at}.</p>
<h2>Packages by section</h2>
{bars(sections)}
<h2>What most packages need</h2>
<table><tr><th>package<th>needed by</tr>
{"".join(f"<tr><td>{html.escape(name)}<td>{int(count):,}</tr>" for name, count in wanted)}</table>
<h2>Days in the warehouse</h2>
<table><tr><th>day<th>packages</tr>
{"".join(f"<tr><td>{day}<td>{int(count):,}</tr>" for day, count in days)}</table>
</html>
"""
    path = os.path.join(os.environ["ARCHIVE_FOLDER"], day, "report.html")
    with open(path + ".new", "w") as file:
        file.write(page)
    os.replace(path + ".new", path)
    with open(os.environ["HEADRACE_OUTPUT"], "w") as output:
        json.dump({"path": path, "sections": int(total[1]), "packages": int(total[0])}, output)


main(sys.argv[1])
