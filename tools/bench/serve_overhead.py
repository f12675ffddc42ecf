#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve_overhead.py [--rounds N] [BINARY]: what HTTP adds to the planner and the skills.

First the server's own time: of a client alone, from a request's head to the end of its answer, without what planner and skills
took (the log's ms - planner_ms); of a server with a temporary state and one that keeps it in a folder, all kinds of requests in
turn. Then tokens a second, as whoever reads them sees them: the same answers from the command line's chat and from the server,
streamed, in turn. Prints medians, and between which the middle half lies, beside their bars; exits with 1 where one is missed."""
import argparse
import base64
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import serving

PICTURE = os.path.join(serving.HERE, "../../examples/sign.jpg")
QUESTIONS = ["Hello!", "Is there a dog in the picture?", "What color is the house?", "What can you do?"]
LONG = ["What can you do?", "Which skills do you have?", "Who are you and what do you do?"]  # what is answered at length
CHAT = "/v1/chat/completions"
KINDS = [("POST", CHAT), ("GET", "/v1/sessions/*"), ("POST", "/v1/sessions/*/messages"), ("POST", "/v1/sessions/*/images")]
SAME, OTHER, ADDED = "a turn", "a turn after another session's", "adding a picture, decoding it"


class Asker:
    """A client of a server; of what it asks it remembers the kinds in their order, which is the log's."""

    def __init__(self, server):
        self.server, self.client, self.kinds, self.asked = server, serving.Client(server.port), [], 0
        self.picture = open(PICTURE, "rb").read()
        self.paths = ["/v1/sessions/" + self.client.ask("POST", "/v1/sessions", {})["id"] for _ in range(2)]
        for path in self.paths:
            self.add(path, ADDED, self.another())

    def text(self):
        self.asked += 1
        return QUESTIONS[self.asked % len(QUESTIONS)]

    def add(self, path, kind, picture):
        self.kinds.append(kind)
        self.client.ask("POST", path + "/images", picture, type="image/jpeg")

    def another(self):
        """The picture with another comment in its file, which no server knows yet."""
        self.asked += 1
        return self.picture[:2] + b"\xff\xfe\x00\x0a%08d" % self.asked + self.picture[2:]

    def turn(self, path, kind):
        self.kinds.append(kind)
        list(self.client.events("POST", path + "/messages", {"text": self.text(), "stream": True}))

    def chat(self, kind, *parts):
        self.kinds.append(kind)
        content = [{"type": "text", "text": self.text()}, *parts]
        list(self.client.events("POST", CHAT, {"model": self.server.model, "stream": True,
                                               "messages": [{"role": "user", "content": content}]}))

    def read(self, path):
        self.kinds.append("reading a session")
        self.client.ask("GET", path)

    def round(self):
        url = "data:image/jpeg;base64," + base64.b64encode(self.picture).decode()
        for path in self.paths:
            self.turn(path, OTHER)
            self.turn(path, SAME)
            self.read(path)
        self.chat("a chat")
        self.chat("a chat with a picture that came before", {"type": "image_url", "image_url": {"url": url}})
        path = "/v1/sessions/" + self.client.ask("POST", "/v1/sessions", {})["id"]
        self.add(path, ADDED, self.another())
        self.add(path, "adding a picture that came before", self.picture)

    def times(self):
        """Milliseconds by kind."""
        self.client.close()
        self.server.settles(lambda: self.server.gauge("requests_open"), 1)
        found, kinds = {}, iter(self.kinds)
        for line in self.server.said().splitlines():
            entry = json.loads(line) if line.startswith("{") else {"route": "", "method": ""}
            if (entry["method"], entry["route"]) in KINDS:
                found.setdefault(next(kinds), []).append(entry["ms"] - entry["planner_ms"])
        return found


def own_times(q):
    """Of each server and kind of request: the server's own milliseconds of each."""
    with tempfile.TemporaryDirectory() as folder, serving.Server(q.binary, quiet=False) as passing, \
            serving.Server(q.binary, "--state", folder, quiet=False) as keeping:
        askers = [Asker(passing), Asker(keeping)]
        for _ in range(q.rounds):
            for asker in askers:
                asker.round()
        return {"": askers[0].times(), "--state: ": askers[1].times()}


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
    for server, kinds in own_times(q).items():
        for kind, times in kinds.items():
            low, median, high = statistics.quantiles(times, n=4)
            decodes = kind.endswith("decoding it")  # which takes its time, however it is served
            rows.append((server + kind, "%.2f ms (%.2f to %.2f)" % (median, low, high), "" if decodes else "median under 1 ms",
                         decodes or median < 1))
        together = statistics.median(ms for times in kinds.values() for ms in times)
        rows.append((server + "all of these", "%.2f ms" % together, "median under 1 ms", together < 1))
    pairs = paces(q)
    alone, served = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    ratio = served / alone
    rows.append(("tokens a second: command line, server", "%.0f, %.0f" % (alone, served), "", True))
    rows.append(("their ratio, medians of %d rounds" % len(pairs), "%.1f %%" % (100 * ratio), "97 % at least", ratio >= 0.97))
    return serving.table(rows)


if __name__ == "__main__":
    raise SystemExit(main())
