"""The clients' commands, by dulwich; tests/suite/clients.rs says what they are."""

import subprocess
import sys
from pathlib import Path

from dulwich import porcelain
from dulwich.repo import Repo

IDENTITY = b"Mary Major <mary_major@example.com>"


def clone(url, folder, depth=None):
    porcelain.clone(url, folder, depth=depth and int(depth)).close()


def fetch(folder):
    porcelain.fetch(folder, "origin")


def commit(folder, file, content):
    path = Path(folder, file).resolve()
    path.write_text(content)
    porcelain.add(folder, [path])
    porcelain.commit(folder, message=file.encode(), author=IDENTITY, committer=IDENTITY)


def push(folder, refspec, meanwhile="true"):
    class Repository(Repo):
        """Lets something happen between what the server has shown and what is asked of it."""

        def generate_pack_data(self, *arguments, **named):
            subprocess.run(meanwhile, shell=True, check=True)
            return super().generate_pack_data(*arguments, **named)

    result = porcelain.push(Repository(folder), "origin", [refspec])
    refused = [reason for reason in (result.ref_status or {}).values() if reason]
    if refused:
        sys.exit(", ".join(refused))


if __name__ == "__main__":
    {"clone": clone, "fetch": fetch, "commit": commit, "push": push}[sys.argv[1]](*sys.argv[2:])
