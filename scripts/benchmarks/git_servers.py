"""The servers that scripts/bench git measures: ours, and Apache with `git http-backend`."""

import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time
import urllib.request

# Apache does not run as root, and git serves nobody another user's repositories.
AS = {"user": "www-data", "group": "www-data", "extra_groups": []} if os.geteuid() == 0 else {}
MEASURED = """#!/bin/sh
exec /usr/bin/time --quiet --append --output "$FOLDER/peaks" --format %M "$GIT_CORE/git-http-backend"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, log):
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise SystemExit("a server does not start: " + log.read_text())


class Ours:
    """Our program. What it keeps in memory goes with `restart`."""

    name = "codecommit-local"
    keeps = True

    def __init__(self, binary, folder, flags):
        self.folder, self.port = folder, free_port()
        self.command = [binary, "--listen", f"127.0.0.1:{self.port}", "--data-dir", folder / "data", *flags]
        folder.mkdir(parents=True)
        self.process = None
        self.restart()

    def restart(self):
        self.stop()
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output)
        wait_for(self.port, self.process, log)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def remote(self, repository):
        return f"http://127.0.0.1:{self.port}/v1/repos/{repository}"

    def measured(self, repository):
        return self.remote(repository)

    def call(self, operation, **parameters):
        scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/codecommit/aws4_request"
        headers = {
            "X-Amz-Target": f"CodeCommit_20150413.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", json.dumps(parameters).encode(), headers)
        urllib.request.urlopen(request).read()

    def new(self, repository):
        """Makes an empty repository in place of the one there was."""
        self.call("DeleteRepository", repositoryName=repository)
        self.call("CreateRepository", repositoryName=repository)

    def settle(self):
        """Waits until it does nothing in the background; gives the seconds that it was busy."""
        started = last_busy = time.monotonic()
        ticks = self.ticks()
        while time.monotonic() < last_busy + 1 and time.monotonic() < started + 300:
            time.sleep(0.1)
            now = self.ticks()
            if now > ticks:
                ticks, last_busy = now, time.monotonic()
        return last_busy - started

    def ticks(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak(self):
        """The most memory that it had at once since `forget_peak`, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


class Apache:
    """Apache. Each request is a process of its own, so that there is nothing to forget by a restart."""

    keeps = False

    def __init__(self, folder, git_core):
        self.folder, self.port = folder, free_port()
        self.repositories = folder / "repositories"
        self.repositories.mkdir(parents=True)
        script = folder / "measured"
        script.write_text(MEASURED)
        script.chmod(0o755)
        self.own(folder)
        variables = {**os.environ, "FOLDER": str(folder), "PORT": str(self.port), "GIT_CORE": git_core}
        program = shutil.which("apache2", path=os.environ["PATH"] + ":/usr/sbin")
        configuration = folder / "apache.conf"
        shutil.copy(pathlib.Path(__file__).parent / "apache.conf", configuration)
        self.process = subprocess.Popen([program, "-f", configuration, "-DFOREGROUND"], env=variables, **AS)
        wait_for(self.port, self.process, folder / "error.log")

    def own(self, path):
        if AS:
            subprocess.run(["chown", "--recursive", "www-data:www-data", path], check=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def remote(self, repository):
        return f"http://127.0.0.1:{self.port}/v1/repos/{repository}"

    def measured(self, repository):
        return f"http://127.0.0.1:{self.port}/v1/measured/{repository}"

    def git(self, repository, *arguments):
        subprocess.run(["git", *arguments], cwd=self.repositories / repository, check=True, capture_output=True, **AS)

    def new(self, repository):
        path = self.repositories / repository
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["git", "init", "--quiet", "--bare", path], check=True, **AS)
        self.git(repository, "config", "http.receivepack", "true")

    def settle(self):
        return 0

    def forget_peak(self):
        (self.folder / "peaks").unlink(missing_ok=True)

    def peak(self):
        """The largest process since `forget_peak`, in MiB; where several ran at once, that many times as much."""
        peaks = [int(line) for line in (self.folder / "peaks").read_text().split()]
        return (max(peaks) if len(peaks) < 3 else statistics.median(peaks) * len(peaks)) / 1024
