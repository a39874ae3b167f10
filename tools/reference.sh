#!/usr/bin/env bash
# Writes the pages that follow from tables, or (--check) compares those that stand in the tree with what the tables say.
# Usage: tools/reference.sh build/PRESET/tools/reference [--check]
set -u
reference=$(realpath "${1:?the program reference}") check=${2:-}
cd "$(dirname "$0")/.."
fresh=$(mktemp) || exit 1
trap 'rm -f "$fresh"' EXIT
bad=0
while read -r page path; do
    "$reference" "$page" >"$fresh" || { echo "reference: $page cannot be written"; bad=1; continue; }
    if [ "$check" != --check ]; then
        cmp -s "$fresh" "$path" || { cat "$fresh" >"$path"; echo "written: $path"; }
    elif ! diff -u "$path" "$fresh"; then
        echo "reference: $path is not what its table says: ./dev docs"
        bad=1
    fi
done <<'PAGES'
settings docs/reference/settings.md
errors docs/reference/errors.md
dag-file docs/reference/dag-file.md
schema docs/dag.schema.json
PAGES
exit $bad
