#!/usr/bin/env bash
# with_openai.sh: OpenAI's own Python client, from PyPI, against `llava-plus serve`. Prints a line a check; exits with 1 where one
# fails. Needs network for pip the first time; what it installs lies in build/peers-openai.
#   BINARY=build/release/src/cli/llava-plus tools/peers/with_openai.sh
set -eu
cd "$(dirname "$0")/../.."
venv=${VENV:-build/peers-openai}
if ! [ -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q openai
fi
exec "$venv/bin/python" tools/peers/with_openai.py "${BINARY:-build/release/src/cli/llava-plus}" examples/sign.jpg
