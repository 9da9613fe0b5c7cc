"""Commands with large files, by dulwich and without git-lfs; tests/suite/lfs/clients.rs says what they are for."""

import sys
from pathlib import Path

from dulwich import porcelain

IDENTITY = b"Mary Major <mary_major@example.com>"


def commit(folder, url, file, content):
    """Creates a repository whose file is a large one."""
    porcelain.init(folder).close()
    porcelain.lfs_track(folder, ["*.bin"])
    path = Path(folder, file).resolve()
    path.write_text(content)
    porcelain.add(folder, [path])
    porcelain.commit(folder, message=file.encode(), author=IDENTITY, committer=IDENTITY)
    porcelain.remote_add(folder, "origin", url)


def push(folder, reference):
    """Pushes the large files, then the commits."""
    print(porcelain.lfs_push(folder, refs=["HEAD"]))
    porcelain.push(folder, "origin", ["HEAD:" + reference])


def clone(url, folder):
    """Clones; the checkout fetches large files."""
    porcelain.clone(url, folder).close()


def pull(folder):
    print(porcelain.lfs_pull(folder))


if __name__ == "__main__":
    {"commit": commit, "push": push, "clone": clone, "pull": pull}[sys.argv[1]](*sys.argv[2:])
