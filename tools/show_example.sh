#!/usr/bin/env bash
# What the main example loaded, beside a recount by the tool that owns the numbers. Exit 1 when they differ.
# Usage: HEADRACE_HOME=... tools/show_example.sh PATH/TO/headrace
set -euo pipefail
headrace=${1:?path of headrace}
ask() { "$headrace" db shell -XAtq -c '\c warehouse' -c "$1" | tail -n 1; }

IFS='|' read -r day source packages dependencies sections < <(ask "
    SELECT day, source, (SELECT count(*) FROM archive.package p WHERE p.day = l.day),
           (SELECT count(*) FROM archive.dependency d WHERE d.day = l.day),
           (SELECT count(DISTINCT section) FROM archive.package p WHERE p.day = l.day)
    FROM archive.load l ORDER BY loaded_at DESC LIMIT 1")
case $source in
    apt-cache*) recount=$(apt-cache dumpavail | grep -c '^Package:') ;;
    *) recount=$(grep -c '^Package:' "$source") ;;
esac
printf '    loaded for %s: %s packages in %s sections, %s dependencies\n' "$day" "$packages" "$sections" "$dependencies"
printf '    recounted now by %s: %s packages\n' "$source" "$recount"
printf '    report: %s\n' "$("$headrace" variables get data_folder)/debian_archive/$day/report.html"
[ "$packages" = "$recount" ] || { echo "    these two numbers differ: the index changed meanwhile, or something is wrong"; exit 1; }
