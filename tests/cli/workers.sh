#!/usr/bin/env bash
# workers.sh SOURCE PROGRAM: controller and worker refuse what makes no sense; then a controller, a worker and, where the shipped
# planner is in the tree, a chat that calls the worker's skill.
set -u
. "$1/tests/cli/checks.sh"
pids=
trap 'for pid in $pids; do kill $pid; done 2>/dev/null; wait; rm -rf "$work"' EXIT
unset LLAVA_PLUS_API_KEY LLAVA_PLUS_WORKER_KEY

refused 2 "'lottery' or 'shortest_queue'" controller --dispatch-method magic
refused 2 "needs an API key" controller --host 0.0.0.0 --port 0
refused 2 "no network" controller --port 0 --allow-network somewhere
refused 2 "--expiry" controller --expiry 0
refused 2 "either --skill or --model" worker --skill ocr --model x
refused 2 "no skill 'magic'" worker --skill magic
refused 1 "it needs CLIP weights" worker --skill retrieve
refused 1 "/nowhere" worker --model /nowhere
refused 2 "it must be https" worker --skill ocr --port 0 --controller file:///etc
refused 2 "must not be empty" worker --skill ocr --model-names a,,b
refused 2 "needs --controller" chat --allow-network 10.0.0.0/8 x
refused 2 "it must be https" chat --controller localhost x
refused 1 "no answer from http://127.0.0.1:1" chat --controller http://127.0.0.1:1 x
LLAVA_PLUS_API_KEY=secret refused 2 "in clear text" worker --skill ocr --port 0 --controller http://10.1.2.3:21001

# start NAME ARGUMENTS..: runs in the background; $address is what it prints
start() {
    local name=$1
    shift
    "$program" "$@" >"$work/$name" 2>"$work/$name.log" &
    pids="$pids $!"
    for _ in $(seq 200); do
        address=$(cat "$work/$name")
        [ -z "$address" ] || return 0
        sleep 0.1
    done
    complain "$* prints no address: $(cat "$work/$name.log")"
}

start controller controller --port 0
controller=$address
start worker worker --skill ocr --port 0 --controller "$controller"
worker=$address
for _ in $(seq 200); do
    grep -q '"event":"registered"' "$work/controller.log" && break
    sleep 0.1
done
grep -qF "{\"worker\":\"$worker\",\"event\":\"registered\"}" "$work/controller.log" ||
    complain "the worker does not register: $(cat "$work/controller.log" "$work/worker.log")"
if [ -f "$source/models/llava-plus-nano-v1/model.safetensors" ]; then
    "$program" chat --controller "$controller/" --image "$source/examples/sign.jpg" "What does the sign say?" >"$work/out" 2>&1
    grep -q "OPEN DAILY" "$work/out" || complain "chat --controller: $(cat "$work/out")"
    grep -q '"route":"/worker_generate","status":200' "$work/worker.log" || complain "the worker was not asked"
fi
for pid in $pids; do # in order: the controller first, so that the worker loses it
    kill -TERM $pid
    wait $pid || complain "a server ends with $?"
done
pids=
exit $failed
