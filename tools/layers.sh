#!/usr/bin/env bash
# Compares every include of every room with that room's USES line, and each word of that line with the includes. Usage: tools/layers.sh build/PRESET/rooms.txt
set -u
rooms=${1:?rooms file, as a build writes it}
bad=0
while read -r room kind uses; do
    while IFS=: read -r file line include; do
        target=${include#*\"}; target=${target%\"*}
        from=$(dirname "$target")
        case $from in
            proto/v1) from=proto ;;
        esac
        [ "$from" = "$room" ] && continue
        case " $uses " in *" $from "*) continue ;; esac
        echo "$file:$line: $room may not include $target (its USES: $uses)"
        bad=1
    done < <(grep -nE '^#include "' "$room"/*.c "$room"/*.h /dev/null 2>/dev/null)
    for use in $uses; do
        grep -qE "^#include [\"<]$use/([^/]+|v1/[^/]+)[\">]" "$room"/*.[ch] && continue
        echo "CMakeLists.txt: $room includes nothing of $use, which stands in its USES"
        bad=1
    done
    if [ "$kind" = pure ]; then
        while IFS=: read -r file line include; do
            case $include in
                *'<uv.h>'* | *'<zmq.h>'* | *'<libpq-fe.h>'* | *'<time.h>'* | *'<stdio.h>'* | *'<pthread.h>'* | *'<unistd.h>'* | *'<sys/'*)
                    case $file:$include in common/base/*stdio.h*) continue ;; esac
                    echo "$file:$line: $room is pure and may not use ${include#*#include }"
                    bad=1 ;;
            esac
        done < <(grep -nE '^#include <' "$room"/*.c "$room"/*.h /dev/null 2>/dev/null)
    fi
done <"$rooms"
[ $bad -eq 0 ] && echo "layers: $(wc -l <"$rooms") rooms hold to their USES"
exit $bad
