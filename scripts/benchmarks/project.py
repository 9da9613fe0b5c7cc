"""Writes the history of a project as a stream for `git fast-import`, the same every time: project.py [COMMITS] [SEED]

Shaped as real histories are: folders in folders, files of a few lines and of thousands, changes of some lines in several
files, side branches that are merged, files that are added, renamed, copied and deleted. A commit makes about eight objects.
"""

import random
import sys

COMMITS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
FILES, TAGS = 600, 30
WORDS = "branch commit tree blob merge push fetch pull request review line file folder name change value error".split()

chance = random.Random(SEED)
write = sys.stdout.write


def line():
    indent = "    " * chance.randint(0, 3)
    return indent + " ".join(chance.choices(WORDS, k=chance.randint(1, 9))) + f" {chance.getrandbits(24):06x}"


def path():
    depth = chance.choices((1, 2, 3, 4), (2, 5, 4, 1))[0]
    folders = "/".join(f"{chance.choice(WORDS)}{chance.randint(0, 3)}" for _ in range(depth))
    return f"{folders}/{chance.choice(WORDS)}-{chance.getrandbits(16):04x}.rs"


def lines():
    return [line() for _ in range(min(4_000, int(chance.lognormvariate(4.3, 1.1)) + 3))]


def edit(content):
    """Changes a few places of a file: lines replaced, added, removed."""
    content = list(content)
    for _ in range(chance.choices((1, 2, 3, 6), (6, 4, 2, 1))[0]):
        at = chance.randrange(len(content))
        until = min(len(content), at + chance.randint(0, 4))
        content[at:until] = [line() for _ in range(chance.randint(0, 5))] or [line()]
    return content


class Branch:
    def __init__(self, files, tip, hot):
        self.files, self.tip, self.hot = dict(files), tip, hot


def commit(mark, seconds, parents, changes):
    message = f"Change {mark}\n\n{line().strip()}\n"
    who = f"Author {mark % 40} <author-{mark % 40}@example.com> {seconds} +0000"
    write(f"commit refs/heads/main\nmark :{mark}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n{message}")
    for word, parent in zip(["from"] + ["merge"] * len(parents), parents):
        write(f"{word} :{parent}\n")
    for name, content in changes.items():
        if content is None:
            write(f"D {name}\n")
        else:
            text = "\n".join(content) + "\n"
            write(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")


def change(files, hot):
    """Makes the changes of a commit: mostly edits in files that were edited lately."""
    changes = {}
    for _ in range(chance.choices((1, 2, 3, 5, 9), (8, 5, 3, 2, 1))[0]):
        kind = chance.random()
        names = list(files) if kind < 0.06 or not hot or chance.random() < 0.2 else [n for n in hot if n in files] or list(files)
        name = chance.choice(names)
        if kind < 0.03:
            name = path()
            changes[name] = lines()
        elif kind < 0.04:
            changes[path()], changes[name] = edit(files[name]), None
        elif kind < 0.045:
            changes[path()] = edit(files[name])
        elif kind < 0.05 and len(files) > FILES // 2:
            changes[name] = None
        else:
            changes[name] = edit(changes.get(name) or files[name])
            hot.append(name)
            del hot[:-40]
    for name, content in changes.items():
        if content is None:
            files.pop(name, None)
        else:
            files[name] = content
    return changes


def main():
    files = {path(): lines() for _ in range(FILES)}
    commit(1, 1_500_000_000, [], files)
    main, side, mark = Branch(files, 1, []), None, 1
    while mark < COMMITS:
        mark += 1
        seconds = 1_500_000_000 + mark * 1200
        if side is None and chance.random() < 0.15:
            side, left, changed = Branch(main.files, main.tip, list(main.hot)), chance.randint(1, 8), {}
        if side is not None and left == 0:
            # The side wins where both changed a file.
            main.files.update({name: content for name, content in changed.items() if content is not None})
            commit(mark, seconds, [main.tip, side.tip], changed)
            for name in [name for name, content in changed.items() if content is None]:
                main.files.pop(name, None)
            main.tip, side = mark, None
        elif side is not None and chance.random() < 0.6:
            changes = change(side.files, side.hot)
            changed.update(changes)
            commit(mark, seconds, [side.tip], changes)
            side.tip, left = mark, left - 1
        else:
            commit(mark, seconds, [main.tip], change(main.files, main.hot))
            main.tip = mark
    write(f"reset refs/heads/main\nfrom :{main.tip}\n\n")
    for number in range(1, TAGS + 1):
        write(f"reset refs/tags/release-{number}\nfrom :{COMMITS * number // TAGS}\n\n")


main()
