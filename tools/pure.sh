#!/usr/bin/env bash
# Lists what the pure archives need from outside and compares it with what purity allows: memory and string helpers,
# formatting into memory, allocation, arithmetic, abort. Usage: tools/pure.sh build/PRESET/rooms.txt build/PRESET
set -u
rooms=${1:?rooms file} build=${2:?build folder}
allowed='mem(cpy|move|set|cmp|chr|rchr|mem)|str(len|nlen|cmp|ncmp|chr|rchr|str|spn|cspn|pbrk|casecmp|ncasecmp|tod|toll|toull|tol|toul)|__isoc[0-9]+_str[a-z]+'
allowed="$allowed|malloc|calloc|realloc|free|abort|qsort|bsearch|v?snprintf|__v?snprintf_chk|__mem[a-z]+_chk|__stack_chk_fail"
allowed="$allowed|floor|ceil|fmod|pow|round|trunc|lround|llround|log10|exp|fabs|isnan|isinf|modf|strtod|fputs|fprintf|__fprintf_chk|stderr|vfprintf|__vfprintf_chk|__ctype_[a-z_]+|toupper|tolower"
allowed="$allowed|__(asan|ubsan|tsan|lsan|sanitizer|gcov|sancov)_?.*|__gcov.*|_GLOBAL_OFFSET_TABLE_|__tls_get_addr|json_.*|fy_.*|llvm_gcov.*|mangle_path"
bad=0 count=0
archives=()
while read -r room kind _; do
    [ "$kind" = pure ] || continue
    archive=$build/lib${room//\//_}.a
    [ -f "$archive" ] && archives+=("$archive")
done <"$rooms"
defined=$(nm --defined-only "${archives[@]}" 2>/dev/null | awk 'NF==3 {print $3}' | sort -u)
for archive in "${archives[@]}"; do
    count=$((count + 1))
    while read -r symbol; do
        grep -qxF "$symbol" <<<"$defined" && continue
        [[ $symbol =~ ^($allowed)$ ]] && continue
        echo "$(basename "$archive") is pure but reaches for: $symbol"
        bad=1
    done < <(nm -u "$archive" | awk '$1=="U" {print $2}' | sort -u)
done
[ $bad -eq 0 ] && echo "pure: $count archives reach memory and string helpers only"
exit $bad
