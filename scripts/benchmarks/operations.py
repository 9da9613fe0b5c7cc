"""How long operations take, and how that grows with what they work on: operations.py URL WORK SECONDS

Each row is one operation on three sizes of something: calls a second over one connection, and the 99th percentile of the
time of a call. Calls are sent by this program over connections that stay open, so that a tenth of a millisecond of each is
its own.
"""

import base64
import http.client
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

SCOPE = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/codecommit/aws4_request"


class Client:
    """A connection to the server."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def call(self, operation, **parameters):
        headers = {
            "X-Amz-Target": f"CodeCommit_20150413.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0",
        }
        self.connection.request("POST", "/", json.dumps(parameters), headers)
        reply = self.connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{operation} {parameters}: {reply.status} {body.decode()}")
        return json.loads(body or "{}")


def measured(call, seconds):
    """Calls a second, and the 99th percentile of their times in milliseconds."""
    call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 10:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return len(times) / sum(times), statistics.quantiles(times, n=100)[98] * 1000


class Bench:
    """The server, and what is made in it."""

    def __init__(self, url, work):
        self.url, self.work, self.client = url, work, Client(url)

    def repository(self, name):
        self.client.call("CreateRepository", repositoryName=name)
        return name

    def pushed(self, name, stream, references):
        """A repository with the history of a stream for `git fast-import`."""
        self.repository(name)
        folder = self.work / f"{name}.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", folder], check=True)
        subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream.encode(), check=True)
        command = ["git", "-C", folder, "push", "--quiet", f"{self.url}/v1/repos/{name}", *references]
        subprocess.run(command, check=True, capture_output=True)
        return name


def commit(number, branch, parent, files):
    """A commit for `git fast-import`; `parent` is a mark."""
    lines = [f"commit refs/heads/{branch}\nmark :{number}\ncommitter B <b@example.com> {1_500_000_000 + number} +0000\ndata 1\nx\n"]
    lines += [f"from :{parent}\n"] if parent else []
    lines += [f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files]
    return "".join(lines)


def put_file(bench, size):
    """The next commit on a branch of so many commits."""
    name = bench.pushed(f"put-{size}", "".join(commit(n, "main", n - 1, [(f"file-{n % 100}", f"{n}\n")]) for n in range(1, size + 1)), ["main"])
    return putter(bench.client, name)


def putter(client, name):
    tip = client.call("GetBranch", repositoryName=name, branchName="main")["branch"]["commitId"]
    state = {"tip": tip, "number": 0}

    def put():
        state["number"] += 1
        content = base64.b64encode(f"{state['number']}\n".encode()).decode()
        reply = client.call("PutFile", repositoryName=name, branchName="main", fileContent=content, filePath="put", parentCommitId=state["tip"])
        state["tip"] = reply["commitId"]

    return put


def put_among(bench, size):
    """The next commit, with so many repositories beside."""
    for number in range(size):
        bench.repository(f"beside-{size}-{number}")
    return putter(bench.client, bench.pushed(f"among-{size}", commit(1, "main", 0, [("file", "x")]), ["main"]))


def get_file(bench, size):
    """A file of a folder of so many."""
    name = bench.pushed(f"file-{size}", commit(1, "main", 0, [(f"folder/{n}", f"{n}\n" * 50) for n in range(size)]), ["main"])
    return lambda: bench.client.call("GetFile", repositoryName=name, commitSpecifier="main", filePath=f"folder/{random.randrange(size)}")


def get_folder(bench, size):
    """A folder of so many files."""
    name = bench.pushed(f"folder-{size}", commit(1, "main", 0, [(f"folder/{n}", f"{n}\n") for n in range(size)]), ["main"])
    return lambda: bench.client.call("GetFolder", repositoryName=name, commitSpecifier="main", folderPath="folder")


def get_differences(bench, size):
    """All pages of the differences in so many paths."""
    paths = [f"folder-{n % 50}/{n}" for n in range(size)]
    history = commit(1, "main", 0, [(path, "one\n") for path in paths]) + commit(2, "main", 1, [(path, "two\n") for path in paths])
    name = bench.pushed(f"differences-{size}", history, ["main"])
    tip = bench.client.call("GetBranch", repositoryName=name, branchName="main")["branch"]["commitId"]
    before = bench.client.call("GetCommit", repositoryName=name, commitId=tip)["commit"]["parents"][0]

    def differences():
        count, token = 0, {}
        while token is not None:
            reply = bench.client.call("GetDifferences", repositoryName=name, beforeCommitSpecifier=before, afterCommitSpecifier=tip, **token)
            count += len(reply["differences"])
            token = {"NextToken": reply["NextToken"]} if "NextToken" in reply else None
        if count != size:
            raise SystemExit(f"{count} differences and not {size}")

    return differences


def get_merge_conflicts(bench, size):
    """The conflicts of two branches that parted half of so many commits ago."""
    half = size // 2
    history = [commit(n, "main", n - 1, [(f"file-{n % 500}", f"{n}\n" * 20)]) for n in range(1, half + 1)]
    quarter = size // 4
    history += [commit(half + n, "main", half + n - 1, [(f"file-{n % 250}", f"main {n}\n" * 20)]) for n in range(1, quarter + 1)]
    for n in range(1, quarter + 1):
        parent = half if n == 1 else half + quarter + n - 1
        history.append(commit(half + quarter + n, "side", parent, [(f"file-{240 + n % 250}", f"side {n}\n" * 20)]))
    name = bench.pushed(f"merge-{size}", "".join(history), ["main", "side"])
    return lambda: bench.client.call(
        "GetMergeConflicts", repositoryName=name, sourceCommitSpecifier="side", destinationCommitSpecifier="main",
        mergeOption="THREE_WAY_MERGE", conflictDetailLevel="LINE_LEVEL")


def list_pull_requests(bench, size):
    """The first page of so many pull requests, most of them closed."""
    name = bench.pushed(f"requests-{size}", commit(1, "main", 0, [("file", "x")]) + commit(2, "side", 1, [("side", "x")]), ["main", "side"])
    for number in range(size):
        target = [{"repositoryName": name, "sourceReference": "side", "destinationReference": "main"}]
        made = bench.client.call("CreatePullRequest", title=f"{number}", targets=target)["pullRequest"]["pullRequestId"]
        if number % 20:
            bench.client.call("UpdatePullRequestStatus", pullRequestId=made, pullRequestStatus="CLOSED")
    return lambda: bench.client.call("ListPullRequests", repositoryName=name, pullRequestStatus="OPEN")


ROWS = [
    ("PutFile, commits on the branch", put_file, (100, 1_000, 10_000)),
    ("PutFile, repositories beside", put_among, (10, 100, 1_000)),
    ("GetFile, files in the folder", get_file, (100, 1_000, 10_000)),
    ("GetFolder, entries", get_folder, (100, 1_000, 10_000)),
    ("GetDifferences (all pages), paths", get_differences, (50, 500, 5_000)),
    ("GetMergeConflicts, commits", get_merge_conflicts, (200, 2_000, 20_000)),
    ("ListPullRequests, pull requests", list_pull_requests, (100, 1_000, 10_000)),
]


def at_once(bench, seconds):
    """PutFile on sixteen repositories at once; calls a second in all."""
    names = [bench.pushed(f"at-once-{number}", commit(1, "main", 0, [("file", "x")]), ["main"]) for number in range(16)]
    counts, end = [0] * len(names), time.perf_counter() + seconds

    def work(number):
        put = putter(Client(bench.url), names[number])
        while time.perf_counter() < end:
            put()
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(names))]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begin)


def main():
    url, folder, seconds = sys.argv[1:]
    bench, seconds = Bench(url, pathlib.Path(folder)), float(seconds)
    os.environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    words = os.environ.get("OPERATIONS_ROWS", "").split()
    print("### Operations over history, one connection\n")
    print("| operation, size of what | sizes | calls/s | p99, ms | times slower, first to last |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    for title, make, sizes in ROWS:
        if words and not any(word in title for word in words):
            continue
        rates, slowest = zip(*(measured(make(bench, size), seconds) for size in sizes))
        cells = [" / ".join(form.format(value) for value in values) for form, values in
                 (("{:,}", sizes), ("{:,.0f}", rates), ("{:.2f}", slowest))]
        print(f"| {title} | {' | '.join(cells)} | {rates[0] / rates[-1]:.1f} |", flush=True)
    if not words or "PutFile" in words:
        print(f"\nPutFile on 16 repositories at once: {at_once(bench, seconds):,.0f} calls/s\n")


main()
