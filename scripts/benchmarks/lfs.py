"""Measures git-lfs with 1,000 objects of 1 MB, and with 5,000 small ones: lfs.py BINARY FOLDER RUNS

The peer is nginx with WebDAV, which receives and sends the objects; a few lines here answer its batches. Both get the same objects
from the same client, and the median of the runs is shown: seconds of the client, and processor seconds of the server.
"""

import http.server
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

# Numbers of objects, and their sizes in bytes.
CASES = [(int(os.environ.get("BENCH_LFS_OBJECTS", "1000")), 1 << 20), (int(os.environ.get("BENCH_LFS_SMALL", "5000")), 100)]
TYPE = "application/vnd.git-lfs+json"

NGINX = """
daemon off;
worker_processes auto;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    sendfile on;
    client_max_body_size 0;
    client_body_temp_path {folder}/bodies;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            root {folder}/objects;
            dav_methods PUT;
            create_full_put_path on;
        }}
    }}
}}
"""


def environment(folder):
    configuration = folder / "gitconfig"
    configuration.write_text(
        '[filter "lfs"]\n clean = git-lfs clean -- %f\n smudge = git-lfs smudge -- %f\n process = git-lfs filter-process\n'
        " required = true\n[user]\n name = Bench\n email = bench@example.com\n[init]\n defaultBranch = main\n"
    )
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": str(configuration), "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder, variables, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def processor_seconds(process):
    """Returns the time of a process and of its children that run."""
    ids = [process] + [int(child) for child in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    ticks = 0
    for number in ids:
        fields = pathlib.Path(f"/proc/{number}/stat").read_text().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Ours:
    name = "codecommit-local"

    def __init__(self, binary, folder):
        folder.mkdir(parents=True)
        log = open(folder / "log", "w")
        command = [binary, "--listen", "127.0.0.1:0", "--data-dir", str(folder / "data")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.endpoint = self.process.stdout.readline().split()[1]
        request = urllib.request.Request(self.endpoint, b'{"repositoryName":"large"}')
        request.add_header("X-Amz-Target", "CodeCommit_20150413.CreateRepository")
        request.add_header("Content-Type", "application/x-amz-json-1.1")
        urllib.request.urlopen(request).read()
        self.url = f"{self.endpoint}/v1/repos/large/info/lfs"

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Nginx:
    name = "nginx with WebDAV"

    def __init__(self, folder):
        for part in ("objects", "bodies"):
            (folder / part).mkdir(parents=True)
        os.chmod(folder, 0o777)
        for part in ("objects", "bodies"):
            os.chmod(folder / part, 0o777)
        self.objects = folder / "objects"
        peer = self

        class Batches(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.path.endswith("/objects/batch"):
                    return self.answer(404, {"message": "no locks"})
                operation = body["operation"]
                objects = []
                for wanted in body["objects"]:
                    answered = {"oid": wanted["oid"], "size": wanted["size"]}
                    if operation == "download" or not (peer.objects / wanted["oid"]).exists():
                        answered["authenticated"] = True
                        answered["actions"] = {operation: {"href": f"{peer.transfers}/{wanted['oid']}"}}
                    objects.append(answered)
                self.answer(200, {"transfer": "basic", "objects": objects})

            def answer(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.batches = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Batches)
        threading.Thread(target=self.batches.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.batches.server_address[1]}"
        probe = http.server.HTTPServer(("127.0.0.1", 0), Batches)
        port = probe.server_address[1]
        probe.server_close()
        self.transfers = f"http://127.0.0.1:{port}"
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-p", str(folder)])
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.transfers}/none")
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("nginx does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.batches.shutdown()


def measure(server, work, clone, variables, objects):
    """Returns for push and clone: the seconds of the client, and the processor seconds of the server."""
    results = []

    def timed(action):
        before, begun = processor_seconds(server.process.pid), time.monotonic()
        action()
        results.append((time.monotonic() - begun, processor_seconds(server.process.pid) - before))

    git(work, variables, "config", "lfs.url", server.url)
    git(work, variables, "config", "lfs.locksverify", "false")
    timed(lambda: git(work, variables, "lfs", "push", "--all", "origin"))
    shutil.rmtree(clone, ignore_errors=True)
    timed(lambda: git(work.parent, variables, "clone", "-c", f"lfs.url={server.url}", str(work), str(clone)))
    for number in (0, objects - 1):
        name = f"{number}.bin"
        assert (clone / name).read_bytes() == (work / name).read_bytes(), name
    return results


def show(binary, folder, runs, objects, size):
    """Measures a number of objects of a size in bytes, and prints the table."""
    folder.mkdir(parents=True)
    variables = environment(folder)
    work, clone = folder / "work", folder / "clone"
    work.mkdir()
    git(work, variables, "init", "--quiet")
    git(work, variables, "lfs", "track", "*.bin")
    git(work, variables, "remote", "add", "origin", str(folder / "none"))
    for number in range(objects):
        (work / f"{number}.bin").write_bytes(os.urandom(size))
    git(work, variables, "add", "--all")
    git(work, variables, "commit", "--quiet", "--message", "Large files")
    found = {}
    for run in range(runs):
        for create in (lambda place: Ours(binary, place), Nginx):
            place = folder / f"server-{run}-{create.__name__ if create is Nginx else 'ours'}"
            server = create(place)
            found.setdefault(server.name, []).append(measure(server, work, clone, variables, objects))
            server.stop()
            shutil.rmtree(place)
    unit = f"{size >> 20} MB" if size >> 20 else f"{size} bytes"
    print(f"git-lfs, {objects} objects of {unit}, median of {runs} runs")
    print()
    print("| server | push, s | its processor, s | clone, s | its processor, s |")
    print("| --- | --- | --- | --- | --- |")
    for name, measured in found.items():
        cells = [statistics.median(run[at][part] for run in measured) for at in (0, 1) for part in (0, 1)]
        print(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |")
    print()


def main():
    binary, folder, runs = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    for objects, size in CASES:
        show(binary, folder / str(size), runs, objects, size)


main()
