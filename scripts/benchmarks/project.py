"""Writes the history of a project as a stream for `git fast-import`, the same every time: project.py [COMMITS] [SEED]

Shaped as real histories are: folders of a few files and of dozens, files of a few lines and of thousands, a few files
that change again and again and many that hardly ever do, changes of some lines in several files of one folder, side
branches that are merged and releases that are not, files that are added, renamed, copied and deleted, executables,
links, binary files, and names and texts that are not UTF-8. A commit makes about seven objects.
"""

import random
import sys

COMMITS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
FILES, FOLDERS, TAGS, RELEASES, SIDES_MAX, HOT_MAX = 1_200, 70, 30, 20, 3, 40
WORDS = "branch commit tree blob merge push fetch pull request review line file folder name change value error".split()
# How names of files begin and end: in ASCII, in UTF-8, in Latin-1, and such that Git quotes them.
STEMS = [b"", b"", b"", b"", b"", b"", b"", "größe-".encode(), "naïve-".encode("latin-1"), b'a "quoted" ']
ENDINGS = [b".rs", b".rs", b".rs", b".rs", b".md", b".toml", b".py"]

chance = random.Random(SEED)
write = sys.stdout.buffer.write


def line():
    indent = "    " * chance.randint(0, 3)
    return (indent + " ".join(chance.choices(WORDS, k=chance.randint(1, 9))) + f" {chance.getrandbits(24):06x}").encode()


def skewed(items):
    """Chooses one, the first ones far more often."""
    return items[int(len(items) * chance.random() ** 3)]


def folder_names():
    folders = [b""]
    while len(folders) < FOLDERS:
        parent = chance.choice(folders)
        if parent.count(b"/") < 5:
            folders.append(parent + chance.choice(WORDS).encode() + b"%d/" % chance.randint(0, 9))
    return list(dict.fromkeys(folders))


FOLDER_NAMES = folder_names()


def path():
    if chance.random() < 0.02:
        return skewed(FOLDER_NAMES) + b"image-%04x.bin" % chance.getrandbits(16)
    stem = chance.choice(STEMS) if chance.random() < 0.2 else b""
    return skewed(FOLDER_NAMES) + stem + chance.choice(WORDS).encode() + b"-%04x" % chance.getrandbits(16) + chance.choice(ENDINGS)


def lines(name):
    """Makes the content of a new file: lines, or blocks of bytes that cannot be compressed."""
    count = min(4_000, int(chance.lognormvariate(4.6, 1.1)) + 3)
    if name.endswith(b".bin"):
        return [chance.randbytes(64) for _ in range(count)]
    content = [line() for _ in range(count)]
    if chance.random() < 0.02:
        content[chance.randrange(count)] = "Straße, naïve, ½".encode("latin-1")
    return content


def edit(name, content):
    """Changes a few places of a file: lines replaced, added, removed."""
    content = list(content)
    new = (lambda: chance.randbytes(64)) if name.endswith(b".bin") else line
    for _ in range(chance.choices((1, 2, 3, 6), (6, 4, 2, 1))[0]):
        at = chance.randrange(len(content))
        until = min(len(content), at + chance.randint(0, 4))
        content[at:until] = [new() for _ in range(chance.randint(0, 5))] or [new()]
    return content


class Branch:
    def __init__(self, files, tip, hot):
        self.files, self.tip, self.hot = dict(files), tip, list(hot)
        self.changed, self.left = {}, 0


def quoted(name):
    """Quotes a path for the stream; whatever bytes it has."""
    return b'"' + b"".join(b"\\%03o" % byte if byte in b'"\\' or byte >= 128 else bytes([byte]) for byte in name) + b'"'


def commit(mark, parents, changes):
    seconds = 1_500_000_000 + mark * 1200
    message = b"Change %d\n\n%s\n" % (mark, line().strip())
    who = b"Author %d <author-%d@example.com> %d +0000" % (mark % 40, mark % 40, seconds)
    write(b"commit refs/heads/main\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s" % (mark, who, who, len(message), message))
    for word, parent in zip([b"from"] + [b"merge"] * len(parents), parents):
        write(b"%s :%d\n" % (word, parent))
    for name, content in changes.items():
        if content is None:
            write(b"D %s\n" % quoted(name))
        else:
            mode = b"100755" if name.endswith(b".py") else b"100644"
            text = b"\n".join(content) + b"\n"
            write(b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted(name), len(text), text))
    if mark == 1:
        write(b"M 120000 inline link\ndata 4\nmain\n")
        write(b"M 160000 %s module\n" % (b"1" * 40))


def chosen(files, hot, near):
    """Chooses the file of an edit: mostly one that is edited often, or beside the file before it."""
    names = list(files)
    if near is not None and chance.random() < 0.6:
        folder = near.rpartition(b"/")[0]
        return chance.choice([name for name in names if name.rpartition(b"/")[0] == folder] or names)
    recent = [name for name in hot if name in files]
    return chance.choice(recent) if recent and chance.random() < 0.5 else skewed(names)


def change(branch):
    """Makes the changes of a commit."""
    files, changes, near = branch.files, {}, None
    for _ in range(chance.choices((1, 2, 3, 5, 9), (8, 5, 3, 2, 1))[0]):
        kind = chance.random()
        name = chosen(files, branch.hot, near)
        if kind < 0.03:
            name = path()
            changes[name] = lines(name)
        elif kind < 0.04:
            changes[path()], changes[name] = edit(name, files[name]), None
        elif kind < 0.045:
            changes[path()] = edit(name, files[name])
        elif kind < 0.05 and len(files) > FILES // 2:
            changes[name] = None
        else:
            changes[name] = edit(name, changes.get(name) or files[name])
            branch.hot.append(name)
            del branch.hot[:-HOT_MAX]
            near = name
    for name, content in changes.items():
        if content is None:
            files.pop(name, None)
        else:
            files[name] = content
    branch.changed.update(changes)
    return changes


def main():
    names = [b"README.md", *(path() for _ in range(FILES))]
    files = {name: lines(name) for name in names}
    commit(1, [], files)
    main, sides, mark = Branch(files, 1, []), [], 1
    releases = {COMMITS * number // (RELEASES + 1) for number in range(1, RELEASES + 1)}
    while mark < COMMITS:
        mark += 1
        if len(sides) < SIDES_MAX and chance.random() < 0.12:
            side = Branch(main.files, main.tip, main.hot)
            side.left = chance.randint(1, 12)
            sides.append(side)
        ready = next((side for side in sides if side.left == 0), None)
        if ready:
            # The side wins where both changed a file.
            sides.remove(ready)
            for name, content in ready.changed.items():
                if content is None:
                    main.files.pop(name, None)
                else:
                    main.files[name] = content
            commit(mark, [main.tip, ready.tip], ready.changed)
            main.tip = mark
        elif mark in releases:
            # A commit of a branch that goes on for itself.
            release = Branch(main.files, main.tip, main.hot)
            commit(mark, [main.tip], change(release))
            write(b"reset refs/heads/release-%d\nfrom :%d\n\n" % (mark, mark))
        else:
            branch = chance.choice(sides) if sides and chance.random() < 0.6 else main
            commit(mark, [branch.tip], change(branch))
            branch.tip, branch.left = mark, branch.left - 1
    write(b"reset refs/heads/main\nfrom :%d\n\n" % main.tip)
    for number in range(1, TAGS + 1):
        at = COMMITS * number // TAGS
        write(b"reset refs/tags/release-%d\nfrom :%d\n\n" % (number, at))


main()
