"""SQLite beside PostgreSQL: database.py BINARY WORK SECONDS RUNS

Four servers run side by side: each engine with each durability. A call is made on them in turns, so that the machine's other work meets
all alike. CODECOMMIT_LOCAL_TEST_DATABASE is the URL of the server with PostgreSQL.
"""

import os
import pathlib
import statistics
import sys
import time

from server import Server, timed


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
            own.append(server.load(operation, body, seconds, run)())
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
