"""Writes the same generated history every time, as a stream for `git fast-import`: history.py [COMMITS [FILES]]

A text file a line or two of which changes in every commit, as in a real repository: 20,000 commits unless told
otherwise on 5,000 files, unless told otherwise, in folders of 50, 20 branches and 30 tags. A commit makes about six objects.
"""

import random
import sys

BRANCHES, TAGS = 20, 30
COMMITS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
FOLDERS = max(1, FILES // 50)
WORDS = "branch commit tree blob merge push fetch pull request review line file folder name change".split()

chance = random.Random(20150413)
files = {}


def line():
    return " ".join(chance.choices(WORDS, k=8)) + f" {chance.getrandbits(32):08x}"


def write(number):
    text = "\n".join(files[number]) + "\n"
    path = f"source/folder-{number % FOLDERS:03}/file-{number:05}.txt"
    sys.stdout.write(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")


def main():
    for number in range(FILES):
        files[number] = [line() for _ in range(chance.randint(5, 30))]
    for commit in range(1, COMMITS + 1):
        message = f"Change {commit}\n\n{line()}\n"
        who = f"Author {commit % 40} <author-{commit % 40}@example.com> {1_500_000_000 + commit * 1200} +0000"
        sys.stdout.write(f"commit refs/heads/main\nmark :{commit}\nauthor {who}\ncommitter {who}\n")
        sys.stdout.write(f"data {len(message)}\n{message}")
        for number in range(FILES) if commit == 1 else chance.sample(range(FILES), chance.randint(1, 2)):
            if commit > 1:
                files[number][chance.randrange(len(files[number]))] = line()
            write(number)
    for kind, count in (("heads/topic", BRANCHES), ("tags/release", TAGS)):
        for number in range(1, count + 1):
            sys.stdout.write(f"reset refs/{kind}-{number}\nfrom :{COMMITS * number // count}\n\n")


main()
