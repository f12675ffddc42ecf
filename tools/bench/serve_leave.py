#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve_leave.py [--rounds N] [--most MS] [--inside]: how soon the server is free of clients that go away.

In each round two clients ask for what is written in a new noisy picture, which takes a skill many seconds. The second one waits
in line and leaves at a random moment; then the first one does: within half a second, or, every other round, of the skill's start.
A third one leaves while its picture of 100 megapixels is decoded.
Prints milliseconds from a client's leaving until the line is empty, or until nothing is worked on and
no process of a skill or a decoder is busy. Exits with 1 when the 99th percentile of any of them is over --most.
"""
import argparse
import base64
import json
import os
import random
import socket
import struct
import sys
import time
import zlib

import serving


def noise(side):
    """A grey PNG with blotches, of which there is no end of words to be made."""
    rows = []
    for _ in range(0, side, 4):
        row = b"\0" + b"".join(bytes([random.choice((0, 255))]) * 4 for _ in range(0, side, 4))
        rows += [row] * 4
    return png(side, 8, rows)


def png(side, depth, rows):
    """A grey one; each row begins with its filter."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"".join(rows), 1)) + chunk(b"IEND", b""))


def is_idle(server):
    """Nothing is worked on, and no process that the server has started runs rather than waits."""
    return server.gauge("planner_busy") == 0 and not child_busy(server)


def child_busy(server):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == server.process.pid and fields[0] in "RD":
            return True
    return False


class Client:
    """One that asks and follows the events of its turn."""

    def __init__(self, server, path, request):
        body = json.dumps(request)
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.sendall(("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                             "Content-Length: %d\r\n\r\n%s" % (path, len(body), body)).encode())
        self.told = b""

    def follow(self, event):
        while event not in self.told:
            more = self.socket.recv(65536)
            if not more:
                sys.exit("the turn ended before %s: %s" % (event.decode(), self.told.decode()))
            self.told += more

    def catch_up(self):
        """Takes what has been told already."""
        self.socket.setblocking(False)
        try:
            self.told += self.socket.recv(1 << 20)
        except BlockingIOError:
            pass

    def leave(self, is_free):
        began = time.monotonic()
        self.socket.close()
        while not is_free():
            time.sleep(0.001)
            if time.monotonic() - began > 30:
                sys.exit("the server still works for a client that left")
        return 1000 * (time.monotonic() - began)


def reader(server, picture):
    """A client that has what is written in the picture read."""
    path = "/v1/sessions/" + server.ask("POST", "/v1/sessions", {})["id"]
    server.ask("POST", path + "/images", picture, type="image/png")
    return Client(server, path + "/messages", {"text": "What is written in the picture?"})


def bearer(server, picture):
    """A client whose chat brings the picture."""
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    content = [{"type": "text", "text": "Hello!"}, {"type": "image_url", "image_url": {"url": url}}]
    return Client(server, "/v1/chat/completions", {"model": server.model, "messages": [{"role": "user", "content": content}]})


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--most", type=float, default=200, metavar="MS")
    parser.add_argument("--inside", action="store_true", help="skills inside the server's process")
    parser.add_argument("binary", nargs="?", default=serving.BINARY)
    arguments = parser.parse_args()
    random.seed(6)
    took = {"waiting": [], "while the planner writes": [], "while a skill runs": [], "while a picture is decoded": []}
    large = png(10000, 1, [bytes(1251)] * 10000)
    with serving.Server(arguments.binary, *(["--skills-inside"] if arguments.inside else [])) as server:
        for number in range(arguments.rounds):
            picture = noise(1200)
            first, second = reader(server, picture), reader(server, picture)
            time.sleep(random.uniform(0, 0.1))
            took["waiting"].append(second.leave(lambda: server.gauge("queue_depth") == 0))
            if number % 2:
                first.follow(b"event: skill_started")
            time.sleep(random.uniform(0, 0.5))
            first.catch_up()
            took["while a skill runs" if b"skill_started" in first.told else "while the planner writes"].append(
                first.leave(lambda: is_idle(server)))
            third = bearer(server, large)
            while is_idle(server):
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.2))
            took["while a picture is decoded"].append(third.leave(lambda: is_idle(server)))
    took = {moment: values for moment, values in took.items() if values}  # few rounds may miss one
    for moment, values in took.items():
        print("%-26s %4d times: median %4.0f, 99th percentile %4.0f, longest %4.0f ms" %
              (moment, len(values), percentile(values, 0.5), percentile(values, 0.99), max(values)))
    worst = max(percentile(values, 0.99) for values in took.values())
    print("at most %g ms at the 99th percentile: %s" % (arguments.most, "yes" if worst <= arguments.most else "missed"))
    return worst > arguments.most


if __name__ == "__main__":
    sys.exit(main())
