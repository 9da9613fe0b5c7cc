"""Writes a repository with large folders and commits as a stream for `git fast-import`: large.py

The branch `main` has a folder of 10,000 files, and its last commit changes 5,000 of them; `topic` is one commit ahead and one behind.
"""

import sys

FILES, CHANGED, COMMITS = 10_000, 5_000, 100
mark = 0


def commit(branch, parent, message, files):
    """Writes a commit; returns its mark."""
    global mark
    mark += 1
    who = f"Mary Major <mary_major@example.com> {1_500_000_000 + mark * 60} +0000"
    sys.stdout.write(f"commit refs/heads/{branch}\nmark :{mark}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n{message}\n")
    if parent:
        sys.stdout.write(f"from :{parent}\n")
    for path, text in files:
        sys.stdout.write(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
    sys.stdout.write("\n")
    return mark


def text(number, version):
    return "".join(f"let value_{line} = {number + line * version}; // line {line}\n" for line in range(20))


def main():
    readme = "# A large repository\n\n" + "A paragraph of **text** with `code` and a [link](folder/file-00001.rs).\n\n" * 100
    source = "".join(f"fn function_{number}() -> u32 {{ \"text\".len() as u32 + {number} }}\n" for number in range(300))
    first = [("README.md", readme), ("source.rs", source)]
    first += [(f"folder/file-{number:05}.rs", text(number, 1)) for number in range(FILES)]
    tip = commit("main", None, "Add the files", first)
    for number in range(COMMITS):
        tip = commit("main", tip, f"Change {number}", [("source.rs", source + f"// change {number}\n")])
    commit("topic", tip, "Work on a topic", [("topic.txt", "A topic.\n")])
    commit("main", tip, "Change half of the files", [(f"folder/file-{number:05}.rs", text(number, 2)) for number in range(CHANGED)])


main()
