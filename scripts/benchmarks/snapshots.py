"""Prints the times of a reset, a snapshot and a restore with 20 repositories: snapshots.py BINARY FOLDER RUNS

The peer is what a test suite does without snapshots: it stops the server, copies the data folder back, and starts again.
"""

import http.client
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORIES, FILES = 20, 20


class Server:
    def __init__(self, binary, data):
        command = [binary, "--listen", "127.0.0.1:0", "--data-dir", str(data), "--allow-reset", "--quiet"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        address = self.process.stdout.readline().split("//")[1].strip()
        self.connection = http.client.HTTPConnection(address)

    def send(self, path, body="", headers=None):
        self.connection.request("POST", path, body, headers or {})
        reply = self.connection.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{path}: {reply.status} {content.decode()}")
        return json.loads(content)

    def call(self, operation, **members):
        return self.send("/", json.dumps(members), {"X-Amz-Target": f"CodeCommit_20150413.{operation}"})

    def stop(self):
        self.process.terminate()
        self.process.wait()


def fill(server):
    for number in range(REPOSITORIES):
        name, parent = f"repository-{number}", {}
        server.call("CreateRepository", repositoryName=name)
        for file in range(FILES):
            put = {"branchName": "main", "filePath": f"file-{file}", "fileContent": "eA=="}
            parent = {"parentCommitId": server.call("PutFile", repositoryName=name, **put, **parent)["commitId"]}


def change(server):
    """Does what a test does: a repository of its own, and a commit in another."""
    server.call("CreateRepository", repositoryName="own")
    branch = server.call("GetBranch", repositoryName="repository-0", branchName="main")["branch"]
    put = {"branchName": "main", "filePath": "file", "fileContent": "eA==", "parentCommitId": branch["commitId"]}
    server.call("PutFile", repositoryName="repository-0", **put)


def timed(action):
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def main(binary, folder, runs):
    data, copy = folder / "data", folder / "copy"
    server = Server(binary, data)
    fill(server)
    snapshots = [timed(lambda: server.send("/_local/snapshots/base")) for _ in range(runs)]
    restores, same = [], []
    for _ in range(runs):
        change(server)
        restores.append(timed(lambda: server.send("/_local/snapshots/base/restore")))
        same.append(timed(lambda: server.send("/_local/snapshots/base/restore")))
    resets = []
    for _ in range(runs):
        server.send("/_local/snapshots/base/restore")
        resets.append(timed(lambda: server.send("/_local/reset")))
    server.send("/_local/snapshots/base/restore")
    server.stop()

    shutil.copytree(data, copy)
    copies = []
    for _ in range(runs):
        server = Server(binary, data)
        change(server)

        def again():
            nonlocal server
            server.stop()
            shutil.rmtree(data)
            shutil.copytree(copy, data)
            server = Server(binary, data)

        copies.append(timed(again))
        server.stop()

    print(f"{REPOSITORIES} repositories of {FILES} commits; medians of {runs}, milliseconds")
    print()
    print("| what | codecommit-local | stop, copy of the folder, start | times less |")
    print("| --- | ---: | ---: | ---: |")
    copied = statistics.median(copies)
    for what, times in [
        ("restore after a test's changes", restores),
        ("restore without changes", same),
        ("snapshot", snapshots),
        ("reset", resets),
    ]:
        median = statistics.median(times)
        print(f"| {what} | {median:.1f} | {copied:.1f} | {copied / median:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
