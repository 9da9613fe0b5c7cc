"""Lookups and the start with many events, PostgreSQL beside SQLite: database_history.py BINARY FOLDER EVENTS

FOLDER has the data and the trail of a stopped server with so many events. Its database is indexed, and then moved to the server of
CODECOMMIT_LOCAL_TEST_DATABASE.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

BENCHMARKS = pathlib.Path(__file__).parent
STARTS = 10


class Database:
    """The program over one of the databases."""

    def __init__(self, binary, folder, url):
        self.command = [binary, "--listen", "127.0.0.1:0", "--quiet", "--data-dir", folder / "data", "--trail-dir", folder / "trail",
                        "--log-interval", "1h", "--database", url]

    def start(self):
        """Starts the program; returns the process, its URL and the time until it was ready, in seconds."""
        begin = time.perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        return process, line.split()[1], time.perf_counter() - begin

    def start_time(self):
        process, _, took = self.start()
        stop(process)
        return took

    def lookups(self, events):
        """Returns the attributes, with the 99th percentiles of the first and the last page in milliseconds."""
        process, url, _ = self.start()
        rows = subprocess.run([sys.executable, BENCHMARKS / "trail.py", "lookup", url, events], stdout=subprocess.PIPE, text=True, check=True)
        stop(process)
        cells = [row.strip("| ").split(" | ") for row in rows.stdout.splitlines()]
        return {attribute: (float(first), float(last)) for attribute, _, first, last, _ in cells}


def stop(process):
    process.terminate()
    process.wait()


def main():
    binary, folder, events = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    url = os.environ.pop("CODECOMMIT_LOCAL_TEST_DATABASE") + "&schema=bench_history"
    sqlite = Database(binary, folder, "sqlite:")
    of_sqlite = sqlite.lookups(events)
    moved = folder.with_name(folder.name + "-moved")
    shutil.copytree(folder, moved)
    subprocess.run([binary, "move", "to-server", "--data-dir", moved / "data", "--database", url], stdout=sys.stderr, check=True)
    postgres = Database(binary, moved, url)
    of_postgres = postgres.lookups(events)
    print(f"LookupEvents with {int(events):,} events, 99th percentile of 300 lookups in milliseconds: first page and fiftieth page of 50.\n")
    print("| attribute | SQLite | PostgreSQL | ratio | SQLite, fiftieth | PostgreSQL, fiftieth | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for attribute, (first, last) in of_sqlite.items():
        other_first, other_last = of_postgres[attribute]
        print(f"| {attribute} | {first:.1f} | {other_first:.1f} | {other_first / first:.2f} "
              f"| {last:.1f} | {other_last:.1f} | {other_last / last:.2f} |")
    times = [(sqlite.start_time(), postgres.start_time()) for _ in range(STARTS)]
    medians = [statistics.median(own) * 1000 for own in zip(*times)]
    print(f"\nStart with so many events, exec to ready, median of {STARTS}: {medians[0]:.1f} ms with SQLite, {medians[1]:.1f} ms with PostgreSQL.")


main()
