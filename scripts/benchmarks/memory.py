"""Measures the memory that a server keeps after work on several large repositories: memory.py BINARY FOLDER [FLAG...]

Pushes generated projects, clones them, fetches, and calls the API over their histories; prints the anonymous resident
memory right after the work, and once what is idle was released. Environment: MEMORY_COMMITS, the sizes of the projects
("12000 8000 5000 3000"); MEMORY_CALLS (150), calls of each operation for each project; MEMORY_IDLE (20), the seconds
after which unused caches are released, 0 for a program without that setting; MEMORY_CACHE, a folder in which the projects are kept.
"""

import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request

BINARY, FOLDER, FLAGS = sys.argv[1], sys.argv[2], sys.argv[3:]
COMMITS = [int(size) for size in os.environ.get("MEMORY_COMMITS", "12000 8000 5000 3000").split()]
CALLS = int(os.environ.get("MEMORY_CALLS", "150"))
IDLE = int(os.environ.get("MEMORY_IDLE", "20"))
KEPT = os.environ.get("MEMORY_CACHE", FOLDER)
HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}

chance = random.Random(7)


def git(*arguments, **options):
    done = subprocess.run(["git", *arguments], env=ENVIRONMENT, check=True, capture_output=True, text=True, **options)
    return done.stdout


def project(commits):
    path = f"{KEPT}/project-{commits}.git"
    if not os.path.exists(path):
        git("init", "--quiet", "--bare", "--initial-branch", "main", path + ".new")
        stream = subprocess.Popen([sys.executable, f"{HERE}/project.py", str(commits), str(commits)], stdout=subprocess.PIPE)
        git("-C", path + ".new", "fast-import", "--quiet", stdin=stream.stdout)
        if stream.wait() != 0:
            sys.exit("memory: a project cannot be generated")
        git("-C", path + ".new", "repack", "-a", "-d", "-q")
        os.rename(path + ".new", path)
    return path


def start():
    arguments = ["--listen", "127.0.0.1:0", "--data-dir", f"{FOLDER}/data", *FLAGS]
    if IDLE > 0:
        arguments += ["--cache-idle", f"{IDLE}s"]
    log = open(f"{FOLDER}/log", "ab")
    server = subprocess.Popen([BINARY, *arguments], stdout=subprocess.PIPE, stderr=log, text=True)
    return server, server.stdout.readline().split()[1]


def megabytes(server, field="RssAnon"):
    with open(f"/proc/{server.pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field + ":"))


def call(url, operation, **body):
    headers = {"X-Amz-Target": f"CodeCommit_20150413.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        return json.load(error)


def ask(url, name, path):
    """Calls the API over a history."""
    commits = git("-C", path, "rev-list", "main").split()
    files = git("-C", path, "ls-tree", "-r", "main").splitlines()
    # Names that are not UTF-8 come in quotes: JSON does not have them. Links and submodules are no files.
    files = [file.split("\t")[1] for file in files if file.startswith("100") and not file.endswith('"')]
    for _ in range(CALLS):
        one, other = chance.sample(commits, 2)
        call(url, "GetDifferences", repositoryName=name, beforeCommitSpecifier=one, afterCommitSpecifier=other)
        call(url, "GetMergeConflicts", repositoryName=name, sourceCommitSpecifier=one, destinationCommitSpecifier=other,
             mergeOption="THREE_WAY_MERGE", conflictDetailLevel="LINE_LEVEL")
        file = chance.choice(files)
        found = call(url, "GetFile", repositoryName=name, filePath=file, commitSpecifier="main")
        call(url, "GetBlob", repositoryName=name, blobId=found["blobId"])
        call(url, "GetFolder", repositoryName=name, folderPath=os.path.dirname(file), commitSpecifier=one)
        call(url, "BatchGetCommits", repositoryName=name, commitIds=chance.sample(commits, 50))
    for file in chance.sample(files, CALLS // 5):
        call(url, "ListFileCommitHistory", repositoryName=name, commitSpecifier="main", filePath=file)


def main():
    projects = [(f"project-{commits}", project(commits)) for commits in COMMITS]
    server, url = start()
    print(f"| work on {len(projects)} projects | anonymous, MiB | resident, MiB |")
    print("| --- | ---: | ---: |")

    def row(what):
        print(f"| {what} | {megabytes(server):.1f} | {megabytes(server, 'VmRSS'):.1f} |", flush=True)

    try:
        row("start")
        for name, path in projects:
            call(url, "CreateRepository", repositoryName=name)
            git("-C", path, "push", "--quiet", "--mirror", f"{url}/v1/repos/{name}")
        row("pushes")
        for name, path in projects:
            clone = f"{FOLDER}/clone-{name}"
            git("clone", "--quiet", "--bare", f"{url}/v1/repos/{name}", clone)
            for back in (10, 100, 1000):
                git("-C", clone, "update-ref", "refs/heads/main", f"main~{back // 4}")
                git("-C", clone, "tag", "-d", *git("-C", clone, "tag").split())
                git("-C", clone, "-c", "gc.auto=0", "fetch", "--quiet", "origin", "main:main")
            git("clone", "--quiet", "--bare", "--depth", "1", f"{url}/v1/repos/{name}", clone + "-shallow")
        row("clones and fetches")
        for name, path in projects:
            ask(url, name, path)
        row("API calls over histories")
        after = megabytes(server)
        time.sleep(1.5 * IDLE)
        row("idle")
        return 0 if max(after, megabytes(server)) <= 128 + 32 else 1
    finally:
        server.terminate()
        server.wait()


sys.exit(main())
