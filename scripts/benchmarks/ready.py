"""Prints how long a program takes from exec to the line that says it is ready: the median, in milliseconds.

    ready.py RUNS WORD PROGRAM [ARGUMENT...]

WORD is in that line, on either output; `{}` in an argument becomes a new empty folder.
"""

import statistics
import subprocess
import sys
import tempfile
import time


def start(word, command):
    with tempfile.TemporaryDirectory() as folder:
        command = [argument.replace("{}", folder) for argument in command]
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            for line in process.stdout:
                if word in line:
                    return time.perf_counter() - begin
        finally:
            process.terminate()
            process.communicate()
        sys.exit(f"{command[0]} ended before it was ready")


runs, word, *command = sys.argv[1:]
print(f"{statistics.median(start(word.encode(), command) for _ in range(int(runs))) * 1000:.1f}")
