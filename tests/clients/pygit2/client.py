"""The clients' commands, by pygit2 on libgit2; tests/suite/clients.rs says what they are."""

import subprocess
import sys
from pathlib import Path

import pygit2


def clone(url, folder, depth=0):
    pygit2.clone_repository(url, folder, depth=int(depth))


def fetch(folder):
    pygit2.Repository(folder).remotes["origin"].fetch()


def commit(folder, file, content):
    repository = pygit2.Repository(folder)
    Path(folder, file).write_text(content)
    repository.index.add(file)
    repository.index.write()
    mary = pygit2.Signature("Mary Major", "mary_major@example.com")
    repository.create_commit("HEAD", mary, mary, file, repository.index.write_tree(), [repository.head.target])


def push(folder, refspec, meanwhile="true"):
    class Callbacks(pygit2.RemoteCallbacks):
        def push_negotiation(self, updates):
            subprocess.run(meanwhile, shell=True, check=True)

        def push_update_reference(self, name, refusal):
            if refusal:
                sys.exit(refusal)

    pygit2.Repository(folder).remotes["origin"].push([refspec], callbacks=Callbacks())


if __name__ == "__main__":
    {"clone": clone, "fetch": fetch, "commit": commit, "push": push}[sys.argv[1]](*sys.argv[2:])
