"""Git over HTTP, ours beside Apache with `git http-backend`: the same repositories, clients and settings in one run.

    git_bench.py BINARY WORK RUNS SECONDS [REPOSITORY...]

Each kind of work is measured twice: as the git client sees it, and as the server's work alone, where the client's
request is sent as it is and the answer thrown away, since a client is often busy for longer than the server. Ours is
measured cold (the first such request after a start) and warm (the same again); for Apache every request is a new
process, and the files are in the system's cache for both. Apache serves each repository twice: as it is packed, and
repacked with bitmaps and a commit graph.
"""

import concurrent.futures
import contextlib
import io
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

from git_servers import Apache, Ours
from git_work import NULL, Source, git, objects_in, offered, text, write_push

BUDGET = 20  # Seconds; a cell that took them is repeated no more.
# What is aimed at, times faster: without and with bitmaps.
AIMS = {"refs": (50, 50), "clone": (10, 3), "branch": (3, 1), 3: (3, 2), 100: (2, 1), "depth": (5, 5),
        "everything": (2, 2), "commit": (10, 10), "16": (10, 3)}
TITLES = {"clone": "full clone", "branch": "single-branch clone", 3: "fetch, 3 commits behind", 100: "fetch, 100 commits behind",
          "depth": "depth 1", "everything": "push of everything", "commit": "push of one commit", "16": "16 clones at once"}
FETCHES = {"clone": [], "branch": ["--single-branch", "--no-tags"], "depth": ["--depth", "1", "--no-tags"]}


class Side:
    """A server and the name under which it serves the repository."""

    def __init__(self, server, repository):
        self.server, self.repository, self.pushed = server, repository, 0

    def remote(self):
        return self.server.remote(self.repository)


def run(*command):
    """Runs a client; gives its seconds."""
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {done.stderr.decode()}")
    return time.perf_counter() - begin


def post(url, service, body, count=1, output=None):
    """Sends a request so many times at once, each on a connection of its own; gives the seconds until the last answer
    and the bytes of one. Nothing is started or written meanwhile, so that the seconds are the server's."""
    sockets = [socket.create_connection((part := urllib.parse.urlsplit(url)).netloc.split(":")) for _ in range(count)]
    head = (f"POST {part.path}/git-{service} HTTP/1.1\r\nHost: {part.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/x-git-{service}-request\r\nContent-Length: {body.stat().st_size}\r\n\r\n").encode()
    sizes = [0] * count

    def ask(number):
        with sockets[number] as connection, body.open("rb") as content:
            connection.sendall(head)
            connection.sendfile(content)
            answer = connection.makefile("rb", buffering=0)
            received = bytearray(1 << 20)
            first = answer.readinto(received)
            if not received.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"{url} answered: {bytes(received[:300])}")
            sizes[number] = first
            if output:
                output.write(received[:first])
            while more := answer.readinto(received):
                sizes[number] += more
                if output:
                    output.write(received[:more])

    begin = time.perf_counter()
    if count == 1:
        ask(0)
    else:
        with concurrent.futures.ThreadPoolExecutor(count) as threads:
            list(threads.map(ask, range(count)))
    seconds = time.perf_counter() - begin
    # How an answer is cut into packets depends on the moment.
    if max(sizes) > min(sizes) * 1.01 + 100:
        raise SystemExit(f"{url} answered with so many bytes: {sizes}")
    return seconds, sizes[0]


class Cell:
    """What one server needs for one kind of work: seconds, bytes, objects, memory."""

    def __init__(self, side, work, runs):
        self.bytes = self.objects = 0
        server, begin = side.server, time.monotonic()
        self.cold = []
        if server.keeps:
            while not self.cold or len(self.cold) < runs and time.monotonic() < begin + BUDGET:
                server.restart()
                self.cold.append(work(side.remote()))
        else:
            self.cold.append(work(side.remote()))
        begin, self.warm = time.monotonic(), []
        while not self.warm or len(self.warm) < runs and time.monotonic() < begin + BUDGET:
            self.warm.append(work(side.remote()))
        if server.keeps:
            server.restart()
        server.forget_peak()
        work(server.measured(side.repository))
        self.peak = server.peak()
        self.cold, self.warm = statistics.median(self.cold), statistics.median(self.warm)
        if not server.keeps:
            self.cold = self.warm


class Bench:
    """One repository, served by all."""

    def __init__(self, path, work, ours, apache, runs):
        self.work, self.runs, self.apache = work, runs, apache
        self.source = Source(path, work / "clients")
        name = "bench"
        self.ours = Side(ours, name)
        self.plain, self.bitmaps = Side(apache, name), Side(apache, f"{name}-bitmaps")
        for side in (self.plain, self.bitmaps):
            side.server.new(side.repository)
            folder = apache.repositories / side.repository
            # `git repack` writes bitmaps in a bare repository unless told otherwise: one side is to be without.
            shutil.copytree(path / "objects/pack", folder / "objects/pack", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.bitmap"))
            references = "".join(f"create {name} {target}\n" for target, name in self.source.references)
            apache.own(folder)
            git_as = lambda *arguments: apache.git(side.repository, *arguments)
            (folder / "feed").write_bytes(os.fsencode(references))
            apache.own(folder)
            git_as("symbolic-ref", "HEAD", self.source.branch)
            with (folder / "feed").open("rb") as feed:
                subprocess.run(["git", "-c", "safe.directory=*", "update-ref", "--stdin"], cwd=folder, stdin=feed, check=True)
            apache.own(folder)
            git_as("pack-refs", "--all")
        apache.git(self.bitmaps.repository, "repack", "-adbq")
        apache.git(self.bitmaps.repository, "commit-graph", "write", "--reachable")
        apache.git(self.bitmaps.repository, "config", "pack.allowPackReuse", "multi")
        ours.new(name)
        push(self.source, ours.remote(name))
        self.busy = ours.settle()
        self.capabilities = {side: offered(side.remote()) for side in (self.ours, self.plain)}
        self.capabilities[self.bitmaps] = self.capabilities[self.plain]

    def title(self):
        count = text(self.source.path, "count-objects", "-v")
        facts = dict(fact.split(": ") for fact in count.splitlines())
        commits = text(self.source.path, "rev-list", "--count", "--all")
        return (f"{self.source.path.stem}: {int(facts['in-pack']) + int(facts['count']):,} objects, {int(commits):,} commits, {len(self.source.references)} "
                f"references, {int(facts['size-pack']) / 1024:.1f} MiB; our server was busy for {self.busy:.1f} s after the push")

    def fetched(self, kind):
        """The two ways in which a fetch of a kind is measured: by git, and alone."""
        target = self.work / "clone"

        def by_git(remote):
            shutil.rmtree(target, ignore_errors=True)
            if isinstance(kind, int):
                subprocess.run(["cp", "--recursive", "--link", self.source.behind[kind], target], check=True)
                return run("git", "-C", target, "fetch", "--quiet", "--no-tags", remote, self.source.branch)
            return run("git", "clone", "--quiet", "--bare", *FETCHES[kind], remote, target)

        return by_git, lambda side: self.alone(side, kind, 1)

    def alone(self, side, kind, count):
        request = self.source.fetch_request(kind, self.capabilities[side])
        answer = io.BytesIO()
        post(side.remote(), "upload-pack", request, output=answer)
        size, objects = objects_in(answer.getvalue())

        def work(remote):
            return post(remote, "upload-pack", request, count)[0]

        cell = Cell(side, work, self.runs)
        cell.bytes, cell.objects = size, objects
        return cell

    def at_once(self, remote):
        """Sixteen clones by git; the seconds until the last is done."""
        targets = [self.work / f"clone-{number}" for number in range(16)]
        begin = time.perf_counter()
        clients = [subprocess.Popen(["git", "clone", "--quiet", "--bare", remote, target], stderr=subprocess.PIPE) for target in targets]
        for client in clients:
            if client.wait():
                raise SystemExit(f"a clone failed: {client.stderr.read().decode()}")
        seconds = time.perf_counter() - begin
        for target in targets:
            shutil.rmtree(target)
        return seconds

    def pushed_everything(self, side, alone):
        fresh = Side(side.server, "fresh")

        def work(remote):
            fresh.server.new("fresh")
            fresh.server.settle()
            if not alone:
                return push(self.source, remote)
            return post(remote, "receive-pack", self.source.everything())[0]

        return Cell(fresh, work, self.runs)

    def pushed_commit(self, side, alone):
        def work(remote):
            rank = side.pushed
            side.pushed += 1
            if alone:
                return post(remote, "receive-pack", self.source.one_commit(rank))[0]
            commit = self.source.commits[rank + 1]
            return run("git", "-C", self.source.folder / "next", "push", "--quiet", remote, f"{commit}:{self.source.branch}")

        cell = Cell(side, work, self.runs)
        if text(self.source.folder / "next", "ls-remote", side.remote(), self.source.branch).split()[0] != self.source.commits[side.pushed]:
            raise SystemExit(f"{side.remote()} does not have what was pushed")
        return cell

    def rows(self):
        sides = (self.ours, self.plain, self.bitmaps)
        for kind in ("clone", "branch", 3, 100, "depth"):
            if not asked(kind):
                continue
            by_git, alone = self.fetched(kind)
            yield kind, "git", [Cell(side, by_git, self.runs) for side in sides]
            yield kind, "alone", [alone(side) for side in sides]
        if asked("16"):
            yield "16", "git", [Cell(side, self.at_once, 1) for side in sides]
            yield "16", "alone", [self.alone(side, "clone", 16) for side in sides]
        for alone in (False, True) if asked("everything") else ():
            # Bitmaps do not matter to a push into an empty repository.
            ours, plain = (self.pushed_everything(side, alone) for side in sides[:2])
            yield "everything", "alone" if alone else "git", [ours, plain, plain]
        for alone in (False, True) if asked("commit") else ():
            yield "commit", "alone" if alone else "git", [self.pushed_commit(side, alone) for side in sides]


def asked(kind):
    """Whether BENCH_ROWS, if it is set, names the kind."""
    return str(kind) in os.environ.get("BENCH_ROWS", str(kind)).split()


def push(source, remote):
    return run("git", "-C", source.path, "push", "--quiet", remote, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")


def verdict(aim, cold, warm):
    met = "met" if cold >= aim else "met when warm" if warm >= aim else "**not met**"
    return f"{cold:.1f} / {warm:.1f} (aim {aim}: {met})"


def table(bench):
    print(f"### {bench.title()}\n")
    print("| work | measured | Apache, ms | with bitmaps, ms | ours cold / warm, ms | times faster cold / warm | than with bitmaps |"
          " bytes of Git's, of bitmaps' | peak MiB: ours, Git, with bitmaps |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for kind, measured, (ours, plain, bitmaps) in bench.rows():
        aims = AIMS[kind]
        size = "-"
        if ours.bytes:
            size = f"{ours.bytes / plain.bytes:.2f}, {ours.bytes / bitmaps.bytes:.2f}"
            if ours.objects != plain.objects:
                size += f" ({ours.objects} objects for {plain.objects}, {bitmaps.objects})"
        print(f"| {TITLES[kind]} | {'with git' if measured == 'git' else 'server alone'} | {plain.warm * 1000:.1f} | {bitmaps.warm * 1000:.1f} |"
              f" {ours.cold * 1000:.1f} / {ours.warm * 1000:.1f} | {verdict(aims[0], plain.warm / ours.cold, plain.warm / ours.warm)} |"
              f" {verdict(aims[1], bitmaps.warm / ours.cold, bitmaps.warm / ours.warm)} | {size} |"
              f" {ours.peak:.0f}, {plain.peak:.0f}, {bitmaps.peak:.0f} |", flush=True)
    print()


def rate(url, connections, seconds):
    """Advertisements a second, by wrk."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "60s", url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{url}: calls failed\n{output}")
    return float(output.split("Requests/sec:")[1].split()[0])


def advertisements(work, path, ours, apache, runs, seconds):
    """The rows of info/refs: few references in `path`, and a hundred thousand."""
    many = work / "many.git"
    git(work, "init", "--quiet", "--bare", "--initial-branch", "main", many)
    commits = "".join(f"commit refs/heads/main\ncommitter Bench <bench@example.com> {1_500_000_000 + n} +0000\ndata 1\nx\n" for n in range(100))
    git(many, "fast-import", "--quiet", feed=commits.encode())
    ids = text(many, "rev-list", "main").split()
    git(many, "update-ref", "--stdin", feed="".join(f"create refs/heads/many/{n:06} {ids[n % 100]}\n" for n in range(100_000)).encode())
    git(many, "pack-refs", "--all")
    bodies = []
    for first in range(0, 100_000, 4000):
        # By hand: git's own client takes minutes to match so many references.
        pack, body = work / "pack", work / f"body-{first}"
        pack.write_bytes(git(many, "pack-objects", "-q", "--revs", "--stdout", feed=b"main\n" if first == 0 else b""))
        write_push(body, [f"{NULL} {ids[n % 100]} refs/heads/many/{n:06}" for n in range(first, first + 4000)], pack)
        bodies.append(body)
    for server in (ours, apache):
        server.new("few")
        server.new("many")
        run("git", "-C", path, "push", "--quiet", server.remote("few"), "HEAD:refs/heads/main", "refs/tags/*:refs/tags/*")
    for body in bodies:
        post(ours.remote("many"), "receive-pack", body)
    ours.settle()
    shutil.copytree(many, apache.repositories / "many", dirs_exist_ok=True)
    apache.own(apache.repositories / "many")
    apache.git("few", "pack-refs", "--all")
    print("### Advertisements\n\n| GET info/refs | Apache, calls/s | ours, calls/s | loopback alone, calls/s | times faster |\n"
          "| --- | ---: | ---: | ---: | ---: |")
    for name, connections in (("few", 1), ("few", 16), ("many", 1), ("many", 16)):
        address = "/info/refs?service=git-upload-pack"
        answer = urllib.request.urlopen(ours.remote(name) + address).read()
        bare = loopback(answer)
        urls = [server.remote(name) + address for server in (apache, ours)] + [f"http://127.0.0.1:{bare.getsockname()[1]}/"]
        # In turns, so that what else the machine does falls upon all alike.
        rates = [[rate(url, connections, seconds) for url in urls] for _ in range(runs)]
        apaches, own, limit = (statistics.median(row[column] for row in rates) for column in range(3))
        bare.close()
        title = "few references" if name == "few" else "100,000 references"
        # Threads of Python cannot answer as often as the loopback device could carry small answers.
        carried = f"{limit:.1f}" if name == "many" else "-"
        print(f"| {title}, {connections} connection{'s' * (connections > 1)} | {apaches:.1f} | {own:.1f} | {carried} | "
              f"{own / apaches:.1f} (aim 50: {'met' if own / apaches >= 50 else '**not met**'}) |", flush=True)
    print()


def loopback(body):
    """Starts a server that answers every request with the same bytes and does nothing else; gives its socket. How often
    it can is how often anything can be sent to the same client over the loopback device."""
    listener = socket.create_server(("127.0.0.1", 0))
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            while connection.recv(1 << 16):
                connection.sendall(answer)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def generated(work, shape, commits):
    """A generated repository, kept in BENCH_CACHE if that is set; `shape` names the program that writes its history."""
    cache = pathlib.Path(os.environ.get("BENCH_CACHE") or work)
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{shape}-{commits}.git"
    if not path.exists():
        partial = work / "partial.git"
        git(work, "init", "--quiet", "--bare", "--initial-branch", "main", partial)
        stream = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / f"{shape}.py", str(commits)], stdout=subprocess.PIPE)
        # Enough for a server to copy deltas; a repack would take longer than all the rest.
        subprocess.run(["git", "fast-import", "--quiet", "--depth=50"], cwd=partial, stdin=stream.stdout, check=True)
        if stream.wait():
            raise SystemExit(f"{shape}.py failed")
        if commits < 50_000:
            git(partial, "-c", "repack.writeBitmaps=false", "repack", "-adfq")
        shutil.move(partial, path)
    return path


def main():
    # So that the servers end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    binary, folder, runs, seconds, *paths = sys.argv[1:]
    work, runs, seconds = pathlib.Path(folder), int(runs), int(seconds)
    os.environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "HOME": folder}
    os.environ |= {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "Bench"), ("EMAIL", "bench@example.com"))}
    flags = os.environ.get("BENCH_FLAGS", "").split()
    core = text(work, "--exec-path")
    wanted = [("history", os.environ.get("BENCH_COMMITS", "2000 20000 165000")), ("project", os.environ.get("BENCH_PROJECTS", "20000"))]
    sources = [lambda shape=shape, size=size: generated(work, shape, int(size)) for shape, sizes in wanted for size in sizes.split()]
    sources += [lambda path=path: pathlib.Path(path) for path in paths]
    print(f"Git over HTTP: medians of at most {runs} runs; {' '.join(flags) or 'the settings of a program that was told nothing'}\n")
    for number, source in enumerate(sources):
        path, place = source(), work / f"run-{number}"
        place.mkdir(mode=0o755)
        ours, apache = Ours(binary, place / "ours", flags), Apache(place / "apache", core)
        try:
            if number == 0 and asked("refs"):
                advertisements(place, path, ours, apache, runs, seconds)
            table(Bench(path, place, ours, apache, runs))
        finally:
            ours.stop()
            apache.stop()
        shutil.rmtree(place)


main()
