"""The feed of events: delay of an event to a reader, and the server's time for many readers.

    feed.py URL PROCESS SECONDS   prints rows of a table: readers, delay of an event, and the server's share of a core

Calls are made at a steady rate; a reader is a connection with server-sent events. The delay is the time from the reply to a call to
the arrival of its event at the last reader.
"""

import http.client
import os
import selectors
import socket
import statistics
import sys
import threading
import time
import urllib.parse

RATE, READERS = 100, (0, 1, 50)
SCOPE = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/codecommit/aws4_request"
HEADERS = {
    "X-Amz-Target": "CodeCommit_20150413.GetRepository", "Content-Type": "application/x-amz-json-1.1",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
}


class Readers(threading.Thread):
    """Connections that read all events, and note when each event has arrived at the last of them."""

    def __init__(self, address, count):
        super().__init__(daemon=True)
        self.selector, self.arrivals, self.is_over, self.rest = selectors.DefaultSelector(), {}, False, {}
        for _ in range(count):
            connection = socket.create_connection(address)
            connection.sendall(b"GET /_local/events?after=now&format=sse HTTP/1.0\r\nhost: localhost\r\n\r\n")
            begin = b""
            while b"\nid: " not in begin:
                begin += connection.recv(4096)
            connection.setblocking(False)
            self.selector.register(connection, selectors.EVENT_READ)

    def run(self):
        while not self.is_over:
            for key, _ in self.selector.select(0.1):
                received, now = key.fileobj.recv(1 << 20), time.perf_counter()
                text = self.rest.get(key.fd, b"") + received
                *lines, self.rest[key.fd] = text.split(b"\n")
                for line in lines:
                    if line.startswith(b"data: "):
                        number = int(line.split(b'"repositoryName":"n', 1)[1].split(b'"', 1)[0])
                        self.arrivals[number] = now

    def end(self):
        self.is_over = True
        if self.ident:
            self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def processor_seconds(process):
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(address, process, seconds, count):
    """Returns the delays in milliseconds, and the server's share of a core."""
    readers, replies = Readers(address, count), []
    readers.start()
    calls = http.client.HTTPConnection(*address)
    begin, before = time.perf_counter(), processor_seconds(process)
    for number in range(seconds * RATE):
        time.sleep(max(0, begin + number / RATE - time.perf_counter()))
        calls.request("POST", "/", f'{{"repositoryName":"n{number}"}}', HEADERS)
        calls.getresponse().read()
        replies.append(time.perf_counter())
    share = (processor_seconds(process) - before) / (time.perf_counter() - begin) * 100
    time.sleep(1)
    readers.end()
    missing = [number for number in range(len(replies)) if count and number not in readers.arrivals]
    if missing:
        sys.exit(f"the events of calls {missing} did not arrive at {count} readers")
    return [(readers.arrivals[number] - reply) * 1000 for number, reply in enumerate(replies) if count], share


def main():
    url, process, seconds = urllib.parse.urlparse(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    without = None
    for count in READERS:
        delays, share = measure((url.hostname, url.port), process, seconds, count)
        without = share if without is None else without
        delay = "- | -"
        if delays:
            delay = f"{statistics.median(delays):.0f} | {statistics.quantiles(delays, n=100)[98]:.0f}"
        print(f"| {count} | {delay} | {share:.1f} | {max(0, share - without):.1f} |")


main()
