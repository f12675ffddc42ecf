#!/usr/bin/env bash
# exports.sh SOURCE LIBRARY: the shared library exports what llava_plus.h declares and nothing else.
set -eu
declared=$(tr '\n' ' ' <"$1/include/llava_plus.h" | grep -oE 'LP_API [^(]*\(' | grep -v __attribute__ |
    grep -oE 'lp_[a-z0-9_]+\($' | tr -d '(' | sort)
exported=$(nm -D --defined-only "$2" | awk '$2 ~ /[A-Z]/ {print $3}' | grep -vxE '__bss_start|_edata|_end' | sort)
[ -n "$declared" ]
diff <(echo "$declared") <(echo "$exported")
