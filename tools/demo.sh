#!/usr/bin/env bash
# demo.sh: the main job on a picture in the tree. The program must be built.
set -eu
cd "$(dirname "$0")/.."
echo
echo '$ llava-plus chat --image examples/sign.jpg "What does the sign say?"'
build/release/src/cli/llava-plus chat --image examples/sign.jpg --debug --out demo-out "What does the sign say?"
echo
echo "The picture with what was read: demo-out/"
