"""Events for EventBridge: event_bridge.py BINARY WORK SECONDS EVENTS

Three servers run side by side: without events, with the file of events, and with a URL as well. Each operation is made on them in turns,
so that the machine's other work meets all alike; the ratio is that of the medians. Then a server delivers EVENTS events of pushes
to the file and to a URL, whose receiver answers at once.
"""

import hashlib
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import urllib.request

from server import Server, timed

REFERENCES = 4_000


class Receiver:
    """An HTTP server that counts requests and answers each at once."""

    def __init__(self):
        self.count = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://{}:{}/".format(*self.socket.getsockname())
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rest = b""
        while received := connection.recv(1 << 16):
            rest += received
            while b"\r\n\r\n" in rest:
                head, body = rest.split(b"\r\n\r\n", 1)
                length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
                if len(body) < length:
                    break
                rest = body[length:]
                self.count += 1
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def compare(title, calls, seconds):
    """Makes the calls in turns, and prints the medians of their times and their ratios to the first."""
    times, end = [[] for _ in calls], time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < end or len(times[0]) < 20:
        for call, own in zip(calls, times):
            own.append(call())
    medians = [statistics.median(own) * 1e6 for own in times]
    cells = [f"{median:,.0f}" for median in medians] + [f"{median / medians[0]:.2f}" for median in medians[1:]]
    print(f"| {title} | {' | '.join(cells)} |", flush=True)


def push_references(url, names, tip):
    """Creates references at a commit by one push, without git, whose time grows with the square of their number."""
    lines = [f"{'0' * 40} {tip} {name}".encode() for name in names]
    lines[0] += b"\0report-status"
    empty_pack = b"PACK" + struct.pack(">II", 2, 0)
    commands = b"".join(b"%04x%s" % (len(line) + 4, line) for line in lines)
    body = commands + b"0000" + empty_pack + hashlib.sha1(empty_pack).digest()
    headers = {"Content-Type": "application/x-git-receive-pack-request"}
    request = urllib.request.Request(f"{url}/v1/repos/r/git-receive-pack", body, headers)
    with urllib.request.urlopen(request) as reply:
        report = reply.read()
    if report.count(b"ok refs/") != len(names):
        sys.exit(f"the push failed: {report[:500]}")


def deliver(binary, work, count):
    """Pushes references until there are enough events, and waits for their delivery."""
    receiver = Receiver()
    server = Server(binary, work / "delivery", "--eventbridge-url", receiver.url)
    folder = work / "delivery/work-main"
    push = server.pushing()
    push()
    before, events = receiver.count, 0
    git = ["git", "-C", str(folder)]
    tip = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    begin = time.perf_counter()
    while events < count:
        names = [f"refs/heads/b-{events + number}" for number in range(min(REFERENCES, count - events))]
        push_references(server.url, names, tip)
        events += len(names)
    pushed = time.perf_counter() - begin
    with open(server.folder / "data/eventbridge.ndjson", "rb") as file:
        lines = sum(1 for _ in file)
    while receiver.count - before < count:
        time.sleep(0.01)
    delivered = time.perf_counter() - begin
    print(f"{count:,} events of {-(-count // REFERENCES)} pushes: in the file with the last push, after {pushed:.1f} s "
          f"({lines - 1:,} lines); at the URL after {delivered:.1f} s, {count / delivered:,.0f}/s; "
          f"the server's memory had at most {server.peak():.0f} MB.")
    server.end()


def main():
    binary, work, seconds, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    os.environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    servers = [
        Server(binary, work / "none", "--eventbridge-changes", "no"),
        Server(binary, work / "file"),
        Server(binary, work / "url", "--eventbridge-url", Receiver().url),
    ]
    print("Median time in microseconds, one connection.\n")
    print("| | no events | file | file and URL | file / none | URL / none |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    compare("PutFile", [lambda server=server: timed(server.put_file) for server in servers], seconds)
    compare("push of a commit", [server.pushing() for server in servers], seconds)
    compare("GetRepository", [lambda server=server: timed(server.get_repository) for server in servers], seconds)
    print()
    for server in servers:
        server.end()
    deliver(binary, work, count)


main()
