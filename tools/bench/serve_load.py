#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve_load.py [--minutes M] [BINARY]: `llava-plus serve` under load, on this machine.

200 clients with a session each, all asking all the time: a picture brought in one of four ways, questions with and without
marks, streamed and whole, objects fetched, the session read and deleted, a chat completion with the same picture, and again with
another picture. Beside them another process asks GET /readyz every 20 ms. The minutes begin when the planner has read a prompt as
long as its context, its cache, of 128 MiB here, is full by its own count, and as many pictures are kept decoded as ever will be.
Before and after, 1,000 streams wait in the line and do nothing. Prints what was measured beside its bar; exits with 1 where one is
missed."""
import argparse
import base64
import glob
import multiprocessing
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import serving

SESSIONS, TURNS, STREAMS, SCENES = 200, 4, 1000, 70
SIGNS = os.path.join(serving.HERE, "../../tests/e2e/ocr/*.*g")  # 30 photographs and screenshots, JPEG and PNG of many sizes
READY_EVERY = 0.02   # seconds
CACHE_MIB = 128      # of what the planner saw and read
FULL = 0.98          # of it, which ends the warm-up: what is put next pushes something out
STEADY = 30          # seconds in which decoded pictures take no more memory than they did before
WARM_MOST = 600      # seconds that the warm-up may take
WINDOW = 0.2         # part of the run whose medians are compared: the first, the last
PARTS = ["resident", "cache", "pixels", "heap", "heap_free", "database_memory"]  # of memory, as /metrics has them
QUESTIONS = ["Is there a dog in the picture?", "How many stars are there?", "What color is the cat?", "Detect the red circle.",
             "Describe the picture.", "Hello!", "What can you do?", "What does the sign say?"]


class Person(threading.Thread):
    """One of the clients."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.number, self.round = load, number, 0
        self.client = serving.Client(load.server.port)

    def run(self):
        client = self.client
        while not self.load.over.is_set():
            try:
                self.visit(client)
            except Exception as e:  # whatever it is, it is an error of the run, until clients leave
                if not self.load.over.is_set():
                    self.load.errors.append("%s: %s" % (type(e).__name__, e))
                client.close()
                time.sleep(1)
            self.round += 1

    def visit(self, client):
        """A session from its beginning to its end; the first ones are of different lengths, so that not all do the same."""
        turns = TURNS if self.round else self.number % (TURNS + 1)
        path = "/v1/sessions/" + client.ask("POST", "/v1/sessions", {})["id"]
        picture = self.load.pictures[(self.number + 7 * self.round) % len(self.load.pictures)]
        self.bring(client, path, picture)
        for turn in range(turns):
            self.ask(client, path, turn)
        session = client.ask("GET", path)
        if [t["status"] for t in session["turns"]] != ["done"] * turns:
            raise serving.Failure("the history is another: %s" % session["turns"])
        client.ask("GET", "%s/objects/%s" % (path, session["objects"][-1]["handle"]))
        self.chat(client, picture)
        client.ask("DELETE", path)

    def bring(self, client, path, picture):
        type, bytes = picture
        way = (self.number + self.round) % 3
        if way == 0:
            client.ask("POST", path + "/images", bytes, type=type)
        elif way == 1:
            client.ask("POST", path + "/images", {"image": data_url(picture)})
        else:
            form = (b'--edge\r\nContent-Disposition: form-data; name="a"; filename="a"\r\nContent-Type: ' + type.encode() +
                    b"\r\n\r\n" + bytes + b"\r\n--edge--\r\n")
            client.ask("POST", path + "/images", form, type="multipart/form-data; boundary=edge")

    def ask(self, client, path, turn):
        body = {"text": QUESTIONS[(self.number + turn) % len(QUESTIONS)], "stream": turn % 2 == 0}
        if turn == 1:
            body["points"] = [[0.25, 0.5]]
        if turn == 2:
            body["strokes"] = [{"points": [[0.2, 0.5], [0.6, 0.5]]}]
            body["boxes"] = [[0.1, 0.2, 0.5, 0.6]]
        if body["stream"]:
            last = [name for name, _, _ in client.events("POST", path + "/messages", body)][-1]
        else:
            last = client.ask("POST", path + "/messages", body)["status"]
        if last != "done":
            raise serving.Failure("a turn ended with '%s'" % last)
        self.load.turns += 1

    def chat(self, client, picture):
        parts = [{"type": "text", "text": QUESTIONS[self.number % len(QUESTIONS)]},
                 {"type": "image_url", "image_url": {"url": data_url(picture)}}]
        body = {"model": self.load.server.model, "messages": [{"role": "user", "content": parts}], "stream": True,
                "stream_options": {"include_usage": True}}
        last = [data for _, data, _ in client.events("POST", "/v1/chat/completions", body)][-1]
        if "usage" not in last:
            raise serving.Failure("a chat ended with %s" % last)
        self.load.chats += 1


def data_url(picture):
    return "data:%s;base64,%s" % (picture[0], base64.b64encode(picture[1]).decode())


def look_at_ready(port, over, found):
    """In a process of its own: milliseconds of GET /readyz, on a connection that is kept and on new ones in turn."""
    try:
        os.nice(-10)  # what it waits for a processor itself is not the server's
    except PermissionError:
        pass
    kept, times, wrong = serving.Client(port), [], 0
    while not over.is_set():
        began = time.perf_counter()
        client = kept if len(times) % 2 else serving.Client(port)
        try:
            wrong += client.ask("GET", "/readyz") != "ok\n"
        except Exception:
            wrong += 1
        took = time.perf_counter() - began
        times.append(1000 * took)
        if client is not kept:
            client.close()
        time.sleep(max(0, READY_EVERY - took))
    found.put((times, wrong))


class Load:
    def __init__(self, binary, server):
        self.server, self.over = server, threading.Event()
        self.errors, self.turns, self.chats = [], 0, 0
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([binary, "data", "scenes", "--count", str(SCENES), "--out", folder], check=True, capture_output=True)
            self.pictures = [("image/png" if path.endswith(".png") else "image/jpeg", open(path, "rb").read())
                             for path in [*glob.glob(folder + "/*.jpg"), *glob.glob(SIGNS)]]

    def fill_context(self):
        """The longest request that the planner takes: for none it needs more memory."""
        client, words = serving.Client(self.server.port), 4000
        path = "/v1/sessions/" + client.ask("POST", "/v1/sessions", {})["id"]
        client.ask("POST", path + "/images", self.pictures[0][1], type=self.pictures[0][0])
        while words:
            words -= 100
            try:
                client.ask("POST", path + "/messages", {"text": "a " * words, "stream": False})
                break
            except serving.Failure as e:
                if ": 400 " not in str(e):
                    raise
        client.ask("DELETE", path)
        client.close()
        return words

    def warm_up(self):
        """Returns the seconds until the caches are full."""
        began, full, most, since = time.time(), FULL * CACHE_MIB * 2**20, 0, time.time()
        while True:
            found, now = self.server.gauges(), time.time()
            if found["pixels_bytes"] > 1.02 * most:
                most, since = found["pixels_bytes"], now
            if found["cache_bytes"] >= full and now > since + STEADY:
                return now - began
            if now > began + WARM_MOST:
                raise SystemExit("the caches do not fill: %s" % found)
            time.sleep(1)

    def run(self, seconds):
        """Returns how long the warm-up took, samples of (second, descriptors, gauges), and what look_at_ready found."""
        over, found = multiprocessing.Event(), multiprocessing.Queue()
        ready = multiprocessing.Process(target=look_at_ready, args=(self.server.port, over, found), daemon=True)
        people = [Person(self, i) for i in range(SESSIONS)]
        for person in people:
            person.start()
        warm, looker = self.warm_up(), serving.Client(self.server.port)
        samples, began = [], time.time()
        ready.start()
        while time.time() < began + seconds and self.server.process.poll() is None:
            time.sleep(0.5)
            samples.append((time.time() - began, self.server.descriptors(), self.server.gauges(looker)))
        looker.close()
        over.set()
        times = found.get(timeout=30)
        self.over.set()
        for person in people:
            person.client.leave()
        for person in people:
            person.join(30)
        return warm, samples, times


def idle_streams(server):
    """KiB that STREAMS messages cost which wait in the line, one socket each."""
    path = "/v1/sessions/%s/messages" % server.ask("POST", "/v1/sessions", {})["id"]
    body = b'{"text": "Hello!", "stream": true}'
    head = ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (path, len(body)))
    before, sockets, waiting = server.kib(), [], 0
    while waiting < STREAMS:
        for _ in range(max(1, STREAMS - waiting)):
            s = socket.create_connection(("127.0.0.1", server.port))
            s.sendall(head.encode() + body)
            sockets.append(s)
        time.sleep(0.05)
        waiting = server.gauge("queue_depth")
        if len(sockets) > 2 * STREAMS:
            raise SystemExit("only %d streams wait" % waiting)
    cost = server.kib() - before
    for s in sockets:
        s.close()
    server.settles(lambda: server.gauge("requests_open"), 1)
    return cost


def medians(samples, seconds, value):
    """Of value(sample) in the first window and in the last one."""
    return [statistics.median(value(s) for s in samples if begin * seconds <= s[0] < (begin + WINDOW) * seconds)
            for begin in (0, 1 - WINDOW)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("binary", nargs="?", default=serving.BINARY)
    q = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends, too
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    seconds = 60 * q.minutes
    with serving.Server(q.binary, "--most-waiting", str(2 * STREAMS), "--most-connections", str(4 * STREAMS),
                        "--cache-memory", str(CACHE_MIB)) as server:
        load = Load(q.binary, server)
        Person(load, TURNS).visit(serving.Client(server.port))
        words = load.fill_context()
        first_streams = idle_streams(server)
        rested = server.descriptors()
        warm, samples, (times, wrong) = load.run(seconds)
        alive = server.process.poll() is None
        server.settles(server.descriptors, rested, 40)  # a connection that has fallen silent is closed after 30 s
        kept = server.descriptors() if alive else -1
        streams = max(first_streams, idle_streams(server) if alive else 0)
        memory = {part: medians(samples, seconds, lambda s: s[2][part + "_bytes"] / 2**20) for part in PARTS}
        open_files = medians(samples, seconds, lambda s: s[1])
    times.sort()
    percentile = lambda p: times[min(len(times) - 1, int(p * len(times)))]
    for error in load.errors[:5]:
        print("error:", error[:300])
    print("a request of %d words, %.0f s of warm-up, then %.1f minutes; %d turns, %d chats, %d looks at /readyz"
          % (words, warm, q.minutes, load.turns, load.chats, len(times)))
    print("MiB at first, at last: " + ", ".join("%s %.1f, %.1f" % (part, *memory[part]) for part in PARTS))
    growth = 100 * (memory["resident"][1] / memory["resident"][0] - 1)
    return serving.table([
        ("errors", len(load.errors), "0", not load.errors and alive),
        ("memory grows after the warm-up", "%.2f %%" % growth, "under 2 %", growth < 2),
        ("descriptors under load, median: at first, at last", "%d, %d" % tuple(open_files), "no more",
         open_files[1] <= open_files[0]),
        ("descriptors at rest: before, after", "%d, %d" % (rested, kept), "no more", kept <= rested),
        ("1,000 idle streams", "%.1f MiB" % (streams / 1024), "under 64 MiB", streams < 64 << 10),
        ("GET /readyz, 99th percentile (median, most)", "%.1f ms (%.1f, %.1f)" % (percentile(0.99), percentile(0.5), times[-1]),
         "under 20 ms", percentile(0.99) < 20),
        ("/readyz that was not ok", wrong, "0", not wrong),
    ])


if __name__ == "__main__":
    raise SystemExit(main())
