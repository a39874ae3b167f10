#!/usr/bin/env bash
# Each path in backticks in what people read here exists: a page that names what is gone sends its reader nowhere. A path begins with
# a folder of this tree, or is a source file, there or beside the page; words with * or CAPITALS in the place of names are none.
# Usage: tools/paths.sh
set -u
cd "$(dirname "$0")/.."
bad=0 count=0
tops=$(git ls-files | sed -n 's|/.*||p' | sort -u | paste -sd '|')
while IFS=: read -r file line word; do
    path=${word//\`/}
    path=${path%%#*}
    [[ $path =~ ^($tops)/[a-z0-9_./{},-]*$ || $path =~ ^[a-zA-Z0-9_./{},-]+\.(c|h|def|sql|proto|sh|cmake|md)$ ]] || continue
    count=$((count + 1))
    eval "set -- $path" # a/{b,c} is two
    for each; do
        [ -e "$each" ] || [ -e "$(dirname "$file")/$each" ] || { echo "$file:$line: there is no $each"; bad=1; }
    done
done < <(git ls-files -- README.md CONTRIBUTING.md 'docs/*.md' '*/README.md' | xargs grep -noE '`[^` ]+`')
[ $count -gt 100 ] || { echo "paths: only $count found"; bad=1; }
[ $bad -eq 0 ] && echo "paths: each of $count exists"
exit $bad
