"""One, two and four nodes on one database with PostgreSQL: cluster.py BINARY WORK SECONDS RUNS

Three clusters run side by side, each with a schema and folders of its own, and are measured in turns. All run on this machine, with the
database and the clients, so more nodes do not make it faster: what counts is what they cost. The table for ten nodes is calculated from
these measurements. CODECOMMIT_LOCAL_TEST_DATABASE is the URL of the server.
"""

import asyncio
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

from server import Server

# Connections that call, and clients that push, over all nodes.
CONNECTIONS, PUSHERS = 16, 4
SIZES = (1, 2, 4)

# What the calculation assumes: ten nodes, and a round trip to a database at the end of one hop of a network, in seconds.
NODES, HOP = 10, 0.0003
# The round trip that is added to count how often a call waits for the database, in seconds.
ADDED = 0.004


def cpu(is_counted):
    """Returns the CPU time of processes in seconds; a process that has ended does not count."""
    ticks = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name, fields = (folder / "stat").read_text().rsplit(")", 1)
        except OSError:
            continue
        if is_counted(int(folder.name), name.split("(", 1)[1]):
            ticks += sum(map(int, fields.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Cluster:
    """Nodes on one schema."""

    def __init__(self, binary, work, url, count):
        folder = work / f"nodes-{count}"
        shared = ["--database", f"{url}&schema=nodes_{count}", "--objects", folder / "objects", "--trail-dir", folder / "trail",
                  "--buckets-dir", folder / "buckets", "--repository-limit", "100000000"]
        names = [f"n{number}" for number in range(count)]
        self.nodes = [Server(binary, folder / name, *shared, "--node-name", name, repository=name) for name in names]
        self.pushes = [node.pushing(f"b{number}") for node in self.nodes for number in range(PUSHERS // count)]

    def cpu(self):
        """Returns the CPU time of the nodes and of the database, in seconds."""
        ids = {node.process.pid for node in self.nodes}
        return cpu(lambda id, _name: id in ids), cpu(lambda _id, name: name == "postgres")

    def calls(self, operation, body, seconds, run):
        """Returns the calls a second over all nodes, and the CPU time of a call on nodes and database, in seconds."""
        before = self.cpu()
        connections = CONNECTIONS // len(self.nodes)
        loads = [node.load(operation, body, seconds, f"{run}{number}", connections) for number, node in enumerate(self.nodes)]
        rate = sum(load() for load in loads)
        return [rate, *[(new - old) / (rate * seconds) for new, old in zip(self.cpu(), before)]]

    def push_rate(self, seconds):
        """Returns the pushes a second of all clients, and the CPU time of a push on nodes and database, in seconds."""
        before, times, begin = self.cpu(), [], time.perf_counter()

        def work(push):
            while time.perf_counter() - begin < seconds:
                times.append(push())

        threads = [threading.Thread(target=work, args=(push,)) for push in self.pushes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = len(times) / (time.perf_counter() - begin)
        return [rate, *[(new - old) / len(times) for new, old in zip(self.cpu(), before)]]

    def end(self):
        for node in self.nodes:
            node.end()


class SlowNetwork:
    """A port that leads to the socket of the database, and delays what passes."""

    def __init__(self, socket, delay):
        self.socket, self.delay = socket, delay
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True).start()
        ready.wait()

    async def serve(self, ready):
        server = await asyncio.start_server(self.join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await server.serve_forever()

    async def join(self, reader, writer):
        there, back = await asyncio.open_unix_connection(self.socket)
        await asyncio.gather(self.copy(reader, back), self.copy(there, writer))

    async def copy(self, reader, writer):
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while content := await reader.read(1 << 16):
                loop.call_later(self.delay, writer.write, content)
        loop.call_later(self.delay, writer.close)


def times(call, seconds):
    """Calls one after the other; returns their times."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        begin = time.perf_counter()
        times.append(call() or time.perf_counter() - begin)
    return times


def flushes(url):
    """Returns how often the database has flushed its log."""
    # The statistics of a connection are there at the latest a second after its last statement.
    time.sleep(1.5)
    command = ["psql", "--dbname", url, "--tuples-only", "--command", "SELECT wal_sync FROM pg_stat_wal"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def flush_time(folder):
    """Returns the median time of a flush of 8 KB to the disk, in seconds."""
    with open(folder / "flushed", "wb", buffering=0) as file:

        def flush():
            file.write(bytes(8192))
            os.fdatasync(file.fileno())

        return statistics.median(times(flush, 1))


def round_trips(binary, work, url, seconds):
    """Returns how often each kind of call waits for the database, one after the other, and how often the database flushes its log."""
    folder = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]
    network = SlowNetwork(f"{folder}/.s.PGSQL.5432", ADDED / 2)
    databases = [f"{url}&schema=near", f"postgres://postgres@127.0.0.1:{network.port}/postgres?schema=far"]
    near, far = [Server(binary, work / f"waits-{number}", "--database", database) for number, database in enumerate(databases)]
    pushes = near.pushing(), far.pushing()
    kinds = {
        "GetRepository": (near.get_repository, far.get_repository),
        "CreateRepository": (near.create_repository, far.create_repository),
        "push": pushes,
    }
    found = {}
    for kind, (fast, slow) in kinds.items():
        before = flushes(url)
        quick = times(fast, seconds)
        flushed = (flushes(url) - before) / len(quick)
        found[kind] = ((statistics.median(times(slow, seconds)) - statistics.median(quick)) / ADDED, flushed)
    near.end()
    far.end()
    return found


def main():
    binary, work, seconds, runs = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    os.environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    url = os.environ.pop("CODECOMMIT_LOCAL_TEST_DATABASE")
    clusters = [Cluster(binary, work, url, count) for count in SIZES]
    kinds = {
        "GetRepository": lambda cluster, run: cluster.calls("GetRepository", '{"repositoryName":"n0"}', seconds, run),
        "CreateRepository": lambda cluster, run: cluster.calls("CreateRepository", '{"repositoryName":"many-{n}"}', seconds, run),
        "push": lambda cluster, _run: cluster.push_rate(seconds),
    }
    print(f"Calls a second over {CONNECTIONS} connections, and pushes a second of {PUSHERS} clients, all on this machine.\n")
    print("| | 1 node | 2 nodes | 4 nodes | ratio of 2 to 1 | ratio of 4 to 1 | CPU of the node, us | CPU of the database, us |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    measured = {}
    for kind, measure in kinds.items():
        results = [[] for _ in clusters]
        for run in range(runs):
            for cluster, own in zip(clusters, results):
                own.append(measure(cluster, run))
        rates = [statistics.median(rate for rate, _, _ in own) for own in results]
        costs = [statistics.median(result[place] for result in results[0]) for place in (1, 2)]
        measured[kind] = costs
        ratios = [f"{rate / rates[0]:.2f}" for rate in rates[1:]]
        cells = [f"{rate:,.0f}" for rate in rates] + ratios + [f"{cost * 1e6:,.0f}" for cost in costs]
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)
    for cluster in clusters:
        cluster.end()
    calculate(measured, round_trips(binary, work, url, seconds), flush_time(work))


def calculate(measured, counted, flush):
    """Prints what ten nodes would do: the smallest of what the nodes, the database and the lock of the writer allow."""
    print(f"\nCalculated for {NODES} nodes of two cores and a database of four, {HOP * 1e3:.1f} ms away, whose disk flushes in "
          f"{flush * 1e3:.2f} ms; a second. A group of {CONNECTIONS} calls or {PUSHERS} pushes of a node commits at a time, and holds the lock "
          "for the database's CPU time of all, its flushes, and a hop for each wait, though some of the waits are reads without the lock.\n")
    print("| | waits | flushes | by the nodes | by the database | by the lock | bottleneck |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for kind, (node, database) in measured.items():
        (waits, flushes), group = counted[kind], PUSHERS if kind == "push" else CONNECTIONS
        limits = {
            "nodes": NODES * 2 / node,
            "database": 4 / database,
            "lock": group / (group * database + flushes * flush + waits * HOP),
        }
        bottleneck = min(limits, key=limits.get)
        cells = [f"{waits:.1f}", f"{flushes:.1f}"] + [f"{limit:,.0f}" for limit in limits.values()] + [bottleneck]
        print(f"| {kind} | {' | '.join(cells)} |")


main()
