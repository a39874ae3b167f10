#!/usr/bin/env bash
# Each setting is read by somebody outside common/conf: one that is accepted, listed and ignored is a promise that nobody keeps.
# Usage: tools/settings.sh
set -u
cd "$(dirname "$0")/.."
bad=0 count=0
while read -r member; do
    count=$((count + 1))
    git grep -qE "(->|\.)$member\b" -- '*.c' '*.h' ':!common/conf' ':!tests' ':!bench' && continue
    echo "settings: nobody reads conf->$member"
    bad=1
done < <(sed -nE 's/^SETTING\((\w+), (\w+), (\w+),.*/\1_\2 \3/p; s/^AUTOSCALE\((\w+), (\w+),.*/\1 \2/p' \
    common/conf/settings.def common/conf/autoscale.def | sed -E 's/ DURATION$/_ms/; s/ .*//')
[ $count -gt 60 ] || { echo "settings: only $count rows found"; bad=1; }
[ $bad -eq 0 ] && echo "settings: each of $count is read"
exit $bad
