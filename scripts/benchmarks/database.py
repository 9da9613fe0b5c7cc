"""SQLite beside PostgreSQL: database.py BINARY WORK SECONDS RUNS

Four servers run side by side: each engine with each durability. A call is made on them in turns, so that the machine's other work meets
all alike. CODECOMMIT_LOCAL_TEST_DATABASE is the URL of the server with PostgreSQL.
"""

import base64
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.parse

SCOPE = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/codecommit/aws4_request"


class Server:
    """The program with its own folder and database, and a connection to it."""

    def __init__(self, binary, folder, *flags):
        folder.mkdir(parents=True)
        self.folder = folder
        command = [binary, "--listen", "127.0.0.1:0", "--data-dir", folder / "data", "--quiet", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[1]
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)
        self.tip, self.number = None, 0
        self.call("CreateRepository", repositoryName="r")

    def call(self, operation, **parameters):
        headers = {
            "X-Amz-Target": f"CodeCommit_20150413.{operation}", "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
        }
        self.connection.request("POST", "/", json.dumps(parameters), headers)
        reply = self.connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            sys.exit(f"{operation}: {reply.status} {body.decode()}")
        return json.loads(body or "{}")

    def get_repository(self):
        self.call("GetRepository", repositoryName="r")

    def create_repository(self):
        self.number += 1
        self.call("CreateRepository", repositoryName=f"created-{self.number}")

    def put_file(self):
        self.number += 1
        parent = {"parentCommitId": self.tip} if self.tip else {}
        content = base64.b64encode(f"{self.number}\n".encode()).decode()
        reply = self.call("PutFile", repositoryName="r", branchName="put", filePath="f", fileContent=content, **parent)
        self.tip = reply["commitId"]

    def pushing(self):
        """Returns a function that pushes the next commit of a clone, and returns the time of the push."""
        git = ["git", "-C", str(self.folder / "work"), "-c", "user.name=B", "-c", "user.email=b@example.com"]
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", self.folder / "work"], check=True)

        def push():
            subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "x"], check=True)
            begin = time.perf_counter()
            subprocess.run([*git, "push", "--quiet", f"{self.url}/v1/repos/r", "main"], check=True)
            return time.perf_counter() - begin

        return push

    def rate(self, operation, body, seconds, run):
        """Returns the calls a second over 16 connections."""
        command = ["wrk", "--threads", "1", "--connections", "16", "--duration", f"{seconds}s", "--script",
                   "scripts/benchmarks/api.lua", self.url, "--", operation, body, str(run)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        _, _, rate, _, failed = output.splitlines()[-1].split()
        if failed != "0":
            sys.exit(f"{operation}: {failed} calls failed")
        return float(rate)

    def end(self):
        self.process.terminate()
        self.process.wait()


def timed(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def print_row(title, values, form):
    cells = [form.format(value) for value in values] + [f"{values[1] / values[0]:.2f}", f"{values[3] / values[2]:.2f}"]
    print(f"| {title} | {' | '.join(cells)} |", flush=True)


def compare_times(title, calls, seconds):
    """Makes the calls in turns, and prints the medians of their times in microseconds."""
    times, end = [[] for _ in calls], time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < end or len(times[0]) < 20:
        for call, own in zip(calls, times):
            own.append(call())
    print_row(title, [statistics.median(own) * 1e6 for own in times], "{:,.0f}")


def compare_rates(title, servers, operation, body, seconds, runs):
    """Makes runs in turns, and prints the medians of the calls a second."""
    rates = [[] for _ in servers]
    for run in range(runs):
        for server, own in zip(servers, rates):
            own.append(server.rate(operation, body, seconds, run))
    print_row(title, [statistics.median(own) for own in rates], "{:,.0f}")


def main():
    binary, work, seconds, runs = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    os.environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    url = os.environ.pop("CODECOMMIT_LOCAL_TEST_DATABASE")
    limit = ["--repository-limit", "100000000"]
    servers = []
    for durability in ("normal", "full"):
        for name, database in (("sqlite", "sqlite:"), ("postgres", f"{url}&schema=bench_{durability}")):
            flags = ["--durability", durability, "--database", database, *limit]
            servers.append(Server(binary, work / f"{name}-{durability}", *flags))
    columns = "SQLite normal | PostgreSQL normal | SQLite full | PostgreSQL full | ratio normal | ratio full"
    line = "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    print(f"Median time in microseconds, one connection.\n\n| | {columns} |\n{line}")
    for title, call in (("GetRepository", Server.get_repository), ("CreateRepository", Server.create_repository),
                        ("PutFile", Server.put_file)):
        compare_times(title, [lambda server=server, call=call: timed(lambda: call(server)) for server in servers], seconds)
    compare_times("push of a commit", [server.pushing() for server in servers], seconds)
    print(f"\nCalls a second, 16 connections.\n\n| | {columns} |\n{line}")
    compare_rates("GetRepository", servers, "GetRepository", '{"repositoryName":"r"}', seconds, runs)
    compare_rates("CreateRepository", servers, "CreateRepository", '{"repositoryName":"many-{n}"}', seconds, runs)
    for server in servers:
        server.end()


main()
