#!/usr/bin/env bash
# with_fastchat.sh: FastChat's own controller, worker, clients and API server, from PyPI, against ours, both ways. Prints a line a
# check; exits with 1 where one fails. Needs network for pip the first time; what it installs lies in build/peers.
#   BINARY=build/release/src/cli/llava-plus tools/peers/with_fastchat.sh [theirs|ours] # whose controller; both where nothing is said
set -eu
cd "$(dirname "$0")/../.."
venv=build/peers
if ! [ -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q "fschat==0.2.36" "pydantic<2" "fastapi<0.112" openai # its API server fails with newer ones
fi
exec "$venv/bin/python" tools/peers/with_fastchat.py "${BINARY:-build/release/src/cli/llava-plus}" examples/sign.jpg "$@"
