#!/usr/bin/env bash
# check.sh: all tests in a release build and under AddressSanitizer and UndefinedBehaviorSanitizer.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
for preset in release asan; do
    cmake --preset $preset >/dev/null && cmake --build --preset $preset || exit 1
    echo "== tests, $preset"
    log=$(mktemp)
    ctest --preset $preset -j2 | tee "$log"
    line=$(grep -E '^[0-9]+% tests passed' "$log")
    all=${line##* } bad=$(echo "$line" | sed -E 's/.*passed, ([0-9]+) tests failed.*/\1/')
    passed=$((passed + all - bad)) failed=$((failed + bad))
    rm -f "$log"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
