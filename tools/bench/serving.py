# SPDX-License-Identifier: MIT
"""A `llava-plus serve` of one's own, what it holds, and how it is asked: for serve_load.py, serve_overhead.py and
serve_leave.py."""
import glob
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.path.join(HERE, "../../build/release/src/cli/llava-plus")


class Server:
    """On any free port, its state in a temporary folder, its log in a file; for `with`."""

    def __init__(self, binary, *options, quiet=True):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([binary, "serve", "--port", "0", *options, *(["--quiet"] if quiet else [])],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        address = self.process.stdout.readline()
        if not address:
            raise SystemExit("the server does not start: " + self.said()[-600:])
        self.port = int(re.search(r":(\d+)/", address).group(1))
        self.model = self.ask("GET", "/v1/models")["data"][0]["id"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def kib(self):
        """Memory in use (VmRSS)."""
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def descriptors(self):
        """Open ones, but for the sockets to its child processes, which are started when they are first needed."""
        of = "/proc/%d/" % self.process.pid
        children = sum(len(open(path).read().split()) for path in glob.glob(of + "task/*/children"))
        return len(os.listdir(of + "fd")) - children

    def gauges(self, client=None):
        """All of /metrics that has no labels, by name."""
        text = (client or self).ask("GET", "/metrics")
        return {name: float(value) for name, value in re.findall(r"^llava_plus_(\w+) (\S+)$", text, re.M)}

    def gauge(self, name):
        return int(self.gauges()[name])

    def ask(self, *request, **more):
        client = Client(self.port)
        try:
            return client.ask(*request, **more)
        finally:
            client.close()

    def settles(self, value, wanted, seconds=10):
        """Whether value() comes to be `wanted` or less."""
        end = time.time() + seconds
        while value() > wanted and time.time() < end:
            time.sleep(0.1)
        return value() <= wanted


class Failure(Exception):
    pass


class Client:
    """A connection that is kept. What is no 2xx raises Failure."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def close(self):
        self.http.close()

    def leave(self):
        """From another thread: whatever is asked ends at once."""
        if self.http.sock:
            self.http.sock.shutdown(socket.SHUT_RDWR)

    def begin(self, method, path, body=None, type="application/json"):
        if body is not None and type == "application/json":
            body = json.dumps(body)
        self.http.request(method, path, body, {"Content-Type": type} if body is not None else {})
        answer = self.http.getresponse()
        if answer.status // 100 != 2:
            raise Failure("%s %s: %d %s" % (method, path, answer.status, answer.read()[:300].decode(errors="replace")))
        return answer

    def ask(self, *request, **more):
        answer = self.begin(*request, **more)
        bytes = answer.read()
        if answer.headers.get_content_type() == "application/json":
            return json.loads(bytes) if bytes else None
        return bytes.decode() if answer.headers.get_content_type() == "text/plain" else bytes

    def events(self, *request, **more):
        """Of a stream: (name, data, when its last line came); the name of OpenAI's is ''."""
        name = ""
        answer = self.begin(*request, **more)
        for line in answer:
            if line.startswith(b"event: "):
                name = line[7:].strip().decode()
            elif line.startswith(b"data: ") and line[6:] != b"[DONE]\n":
                yield name, json.loads(line[6:]), time.perf_counter()
        answer.read()


def table(rows):
    """Prints (what, measured, bar, good) and returns the exit status."""
    width = [max(len(str(row[i])) for row in [*rows, ("what", "measured", "bar", True)]) for i in range(3)]
    for row in [("what", "measured", "bar", True), *rows]:
        print("  ".join(str(row[i]).ljust(width[i]) for i in range(3)) + ("" if row[3] else "  MISSED"), flush=True)
    return 0 if all(row[3] for row in rows) else 1
