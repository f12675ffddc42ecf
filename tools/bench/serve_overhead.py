#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve_overhead.py [--rounds N] [BINARY]: what HTTP adds to the planner and the skills.

First the server's own time: of every turn and chat of a client alone, from the request's head to the end of the answer, without
what planner and skills took (the log's ms - planner_ms). Then tokens a second, as whoever reads them sees them: the same answers
from the command line's chat and from the server, streamed, in turn. Prints medians beside their bars; exits with 1 where one is
missed."""
import argparse
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

import serving

PICTURE = os.path.join(serving.HERE, "../../examples/sign.jpg")
QUESTIONS = ["Hello!", "Is there a dog in the picture?", "What color is the house?", "What can you do?"]
LONG = ["What can you do?", "Which skills do you have?", "Who are you and what do you do?"]  # what is answered at length
TURNS = 20


def own_times(q):
    """Of each kind of request: the server's own milliseconds of each."""
    with serving.Server(q.binary, quiet=False) as server:
        client = serving.Client(server.port)
        paths = ["/v1/sessions/" + client.ask("POST", "/v1/sessions", {})["id"] for _ in range(2)]
        for path in paths:
            client.ask("POST", path + "/images", open(PICTURE, "rb").read(), type="image/jpeg")
        message = lambda i: {"text": QUESTIONS[i % len(QUESTIONS)], "stream": True}
        again = "a turn after another session's, whose picture is decoded anew"
        order = [("a turn", paths[0])] * TURNS + [(again, path) for path in paths] * (TURNS // 2)
        for i, (_, path) in enumerate(order):
            list(client.events("POST", path + "/messages", message(i)))
        for i in range(TURNS):
            chat = {"model": server.model, "messages": [{"role": "user", "content": message(i)["text"]}], "stream": True}
            list(client.events("POST", "/v1/chat/completions", chat))
        for i in range(TURNS):
            client.ask("GET", paths[1])
        client.close()
        server.settles(lambda: server.gauge("requests_open"), 1)
        times = {}
        for line in server.said().splitlines():
            entry = json.loads(line) if line.startswith("{") else {"route": ""}
            kind = {"/v1/chat/completions": "a chat", "/v1/sessions/*": "reading a session"}.get(entry["route"])
            if entry["route"].endswith("/messages"):
                kind = order.pop(0)[0]
            if kind:
                times.setdefault(kind, []).append(entry["ms"] - entry["planner_ms"])
    return times


class CommandLine:
    """`llava-plus chat`, asked line by line."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary, "chat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)

    def pace(self, question):
        """The answer, and seconds from its first piece to its end, which a line's end tells."""
        self.process.stdin.write(("/reset\n%s\n" % question).encode())
        self.process.stdin.flush()
        out, answer, times = self.process.stdout.fileno(), b"", []
        while not answer.endswith(b"\n"):
            select.select([out], [], [])
            answer += os.read(out, 65536)
            times.append(time.perf_counter())
        return answer.decode().strip(), times[-1] - times[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def pace_of_server(port, model, question):
    """The same, and how many tokens the answer has. Read as plainly as the command line's, to disturb it as little."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}], "stream": True,
                       "stream_options": {"include_usage": True}})
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)).encode())
        blocks = []
        while not blocks or blocks[-1][0]:
            blocks.append((s.recv(65536), time.perf_counter()))
    answer, times, tokens, rest = "", [], 0, b""
    for block, when in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for data in [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]:
            choice = data["choices"][0] if data["choices"] else {"delta": {}}
            answer += choice["delta"].get("content") or ""
            if answer and data["choices"]:  # the last one tells the end
                times.append(when)
            tokens = (data.get("usage") or {}).get("completion_tokens", tokens)
    return answer.strip(), times[-1] - times[0], tokens


def paces(q):
    """Tokens a second of the command line and of the server, a pair a round."""
    found = []
    with serving.Server(q.binary) as server:
        line = CommandLine(q.binary)
        for round in range(q.rounds + 1):
            seconds, tokens = [0, 0], 0
            for question in LONG:
                said, took = line.pace(question)
                told, waited, n = pace_of_server(server.port, server.model, question)
                if said != told:
                    sys.exit("the two answer otherwise:\n%s\n%s" % (said, told))
                seconds[0] += took
                seconds[1] += waited
                tokens += n  # the first one does not count, the end does
            if round:  # the first one warms up
                found.append([tokens / s for s in seconds])
        line.close()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("binary", nargs="?", default=serving.BINARY)
    q = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends, too
    rows = []
    for kind, times in own_times(q).items():
        median = statistics.median(times)
        rows.append(("own time of " + kind, "%.2f ms (%.2f to %.2f)" % (median, min(times), max(times)), "median under 1 ms",
                     median < 1))
    pairs = paces(q)
    alone, served = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    ratio = statistics.median(p[1] / p[0] for p in pairs)
    rows.append(("tokens a second: command line, server", "%.0f, %.0f" % (alone, served), "", True))
    rows.append(("their ratio, median of %d rounds" % len(pairs), "%.1f %%" % (100 * ratio), "97 % at least", ratio >= 0.97))
    return serving.table(rows)


if __name__ == "__main__":
    raise SystemExit(main())
