#!/usr/bin/env bash
# Looks for spellings that docs/glossary.md rules out (the words with an underscore in its third column, and those that can
# be nothing else) in the names of the code. Where users see Airflow's words they are at home: those rooms are left out.
set -u
cd "$(dirname "$0")/.."
words=$(awk -F'|' 'NF >= 5 && $2 !~ /^ *(say|---)/ {print $4}' docs/glossary.md | tr ',' '\n' | tr -d ' ' |
    grep -E '_|^dagrun$|^taskinstance$' | paste -sd'|')
[ -n "$words" ] || { echo "names: docs/glossary.md has no table to read"; exit 1; }
if git grep -nIwE "[a-z_]*($words)[a-z_]*" -- common/base common/loop common/log common/metrics common/wire common/pg \
    'common/model/*.[ch]' scheduler worker/core worker/warden worker/shell webserver/http webserver/auth |
    grep -v max_active_tis_per_ | grep -vE '"[^"]*('"$words"')[^"]*"|//|/\*|^\S+: ?\*'; then
    echo "names: these have another spelling in docs/glossary.md"
    exit 1
fi
echo "names: spelt as in docs/glossary.md"
