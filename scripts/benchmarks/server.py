"""The program as a process with its own folder, and the calls and pushes that the benchmarks make."""

import atexit
import base64
import http.client
import json
import pathlib
import subprocess
import sys
import time
import urllib.parse

SCOPE = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/codecommit/aws4_request"


class Server:
    """The program with its own folder and database, and a connection to it."""

    def __init__(self, binary, folder, *flags, repository="r"):
        folder.mkdir(parents=True)
        self.folder = folder
        command = [binary, "--listen", "127.0.0.1:0", "--data-dir", folder / "data", "--quiet", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # Also after a failure; a process that has ended is left alone.
        atexit.register(self.process.kill)
        self.url = self.process.stdout.readline().split()[1]
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)
        self.tip, self.number = None, 0
        self.repository = repository
        self.call("CreateRepository", repositoryName=repository)

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
        self.call("GetRepository", repositoryName=self.repository)

    def create_repository(self):
        self.number += 1
        self.call("CreateRepository", repositoryName=f"created-{self.number}")

    def put_file(self):
        self.number += 1
        parent = {"parentCommitId": self.tip} if self.tip else {}
        content = base64.b64encode(f"{self.number}\n".encode()).decode()
        reply = self.call("PutFile", repositoryName=self.repository, branchName="put", filePath="f", fileContent=content, **parent)
        self.tip = reply["commitId"]

    def pushing(self, branch="main"):
        """Returns a function that pushes the next commit of a branch from a clone of its own, and returns the time of the push."""
        work = self.folder / f"work-{branch}"
        git = ["git", "-C", str(work), "-c", "user.name=B", "-c", "user.email=b@example.com"]
        subprocess.run(["git", "init", "--quiet", f"--initial-branch={branch}", work], check=True)

        def push():
            subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "x"], check=True)
            begin = time.perf_counter()
            pushed = subprocess.run([*git, "push", "--quiet", f"{self.url}/v1/repos/{self.repository}", branch], capture_output=True)
            end = time.perf_counter()
            if pushed.returncode:
                sys.exit(pushed.stderr.decode())
            return end - begin

        return push

    def load(self, operation, body, seconds, run, connections=16):
        """Begins calls over some connections; returns a function that waits for their end and returns the calls a second."""
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--script",
                   "scripts/benchmarks/api.lua", self.url, "--", operation, body, str(run)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        def rate():
            output, _ = process.communicate()
            _, _, rate, _, failed = output.splitlines()[-1].split()
            if failed != "0":
                sys.exit(f"{operation}: {failed} calls failed")
            return float(rate)

        return rate

    def peak(self):
        """Returns the largest memory in use so far, in megabytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:", 1)[1].split()[0]) / 1024

    def end(self):
        self.process.terminate()
        self.process.wait()


def timed(call):
    """Returns the time of a call, in seconds."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
