#!/usr/bin/env bash
# A file includes only from its own folder or from a lower floor (docs/architecture.md).
cd "${1:-.}/src" || exit 1
declare -A floor=([base]=0 [kernel]=1 [tensor]=1 [image]=1 [text]=1 [op]=2 [weights]=2 [nn]=3 [model]=4
    [skill]=5 [data]=6 [train]=6 [plan]=6 [eval]=7 [serve]=7 [cli]=9)
bad=0
while IFS=: read -r file _ include; do
    from=${file%%/*} to=${include#*\"} to=${to%%/*}
    [ "$file" = llava_plus.c ] && continue
    [ "$include" = '#include "llava_plus.h"' ] && continue
    [ "$from" = "$to" ] && continue
    if [ -z "${floor[$to]}" ] || [ "${floor[$to]}" -ge "${floor[$from]}" ]; then
        echo "src/$file (floor ${floor[$from]}) must not include $include"
        bad=1
    fi
done < <(grep -rnE '^#include "' --include='*.c' --include='*.h' .| sed 's|^\./||')
exit $bad
