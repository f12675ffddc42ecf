#!/usr/bin/env bash
# header.sh SOURCE: llava_plus.h compiles alone, without a warning, as C11, C17, C++11 and C++17.
set -eu
header=$1/include/llava_plus.h
for standard in c11 c17; do
    cc -std=$standard -pedantic -Wall -Wextra -Wstrict-prototypes -Werror -fsyntax-only -x c "$header"
done
for standard in c++11 c++17; do
    c++ -std=$standard -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ "$header"
done
