"""What scripts/bench git asks of the servers: repositories that clients have, and requests as clients send them."""

import os
import pathlib
import subprocess
import urllib.request

WANTED = ["multi_ack_detailed", "no-done", "side-band-64k", "thin-pack", "no-progress", "ofs-delta", "deepen-since", "deepen-not"]
NULL = "0" * 40


def git(folder, *arguments, feed=None):
    """Runs git; gives its output. Text among the arguments may hold bytes that are not UTF-8, as `text` gives them."""
    done = subprocess.run(["git", *arguments], cwd=folder, input=feed, capture_output=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(map(str, arguments))} failed: {done.stderr.decode()}")
    return done.stdout


def text(folder, *arguments):
    """Runs git; gives its output as text. Bytes that are not UTF-8 become surrogates, which `os.fsencode` makes bytes again."""
    return os.fsdecode(git(folder, *arguments)).strip()


def quoted(path):
    """Quotes a path for `git fast-import`, whatever bytes it has."""
    return b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'


def line(content):
    data = content if isinstance(content, bytes) else os.fsencode(content) + b"\n"
    return b"%04x" % (len(data) + 4) + data


class Source:
    """A repository whose history is served, and what clients make of it. Everything is below `folder`."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        folder.mkdir()
        self.branch = text(path, "symbolic-ref", "HEAD")
        self.tip = text(path, "rev-parse", "HEAD")
        references = text(path, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags").splitlines()
        self.references = [reference.split() for reference in references]
        self.behind = {count: self.client(count) for count in (3, 100)}
        self.next, self.commits = 0, self.further(60)

    def client(self, count):
        """A client's repository that has the branch without its last commits."""
        path = self.folder / f"behind-{count}"
        git(self.folder, "init", "--quiet", "--bare", path)
        old = text(self.path, "rev-parse", f"{self.tip}~{count}")
        git(self.path, "pack-objects", "-q", "--revs", "--delta-base-offset", path / "objects/pack/pack", feed=old.encode() + b"\n")
        git(path, "update-ref", self.branch, old)
        return path

    def further(self, count):
        """Commits that nobody has yet, each the child of the one before and a change of one file."""
        path = self.folder / "next"
        git(self.folder, "clone", "--quiet", "--bare", "--shared", self.path, path)
        listed = [entry.split(b"\t", 1) for entry in git(path, "ls-tree", "-r", "-z", "HEAD").split(b"\0") if entry]
        # No links, and no submodules, which have no content here.
        files = [(head.split(), name) for head, name in listed if head.startswith(b"100")]
        stream = []
        for number in range(count):
            (mode, _, blob), name = files[number * 7 % len(files)]
            content = git(path, "cat-file", "blob", blob.decode()) + b"\nline %d\n" % number
            stream.append(
                b"commit refs/heads/next\nmark :%d\ncommitter Bench <bench@example.com> %d +0000\ndata 4\nnext\n"
                % (number + 1, 1_900_000_000 + number) + (b"" if stream else b"from %s\n" % self.tip.encode())
                + b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted(name), len(content), content)
            )
        git(path, "fast-import", "--quiet", feed=b"".join(stream))
        commits = text(path, "rev-list", "--reverse", f"{self.tip}..refs/heads/next").split()
        return [self.tip, *commits]

    def pack(self, new, old=None, name="pack"):
        """Packs as a client does for a push; the pack's path. Offset deltas are left out: not every server takes them."""
        path = self.folder / name
        revisions = "\n".join(new) + (f"\n^{old}" if old else "") + "\n"
        with path.open("wb") as output:
            command = ["git", "pack-objects", "-q", "--revs", "--thin", "--stdout"]
            subprocess.run(command, cwd=self.folder / "next", input=os.fsencode(revisions), stdout=output, check=True)
        return path

    def everything(self):
        """The body of a push of all references to an empty repository; the path of it."""
        body = self.folder / "everything"
        if not body.exists():
            pack = self.pack([target for target, _ in self.references])
            commands = [f"{NULL} {target} {name}" for target, name in self.references]
            write_push(body, commands, pack)
        return body

    def one_commit(self, rank):
        """The body of the push of a further commit onto the one before it."""
        old, new = self.commits[rank], self.commits[rank + 1]
        body = self.folder / f"commit-{rank}"
        if not body.exists():
            write_push(body, [f"{old} {new} {self.branch}"], self.pack([new], old, "small"))
        return body

    def fetch_request(self, kind, capabilities):
        """The last request of a clone or fetch; the path of it."""
        wants = sorted({target for target, _ in self.references}) if kind == "clone" else [self.tip]
        first = f"want {wants[0]} {' '.join(capabilities)}"
        lines = [first] + [f"want {want}" for want in wants[1:]]
        body = b"".join(map(line, lines))
        if kind == "depth":
            body += line("deepen 1")
        body += b"0000"
        if isinstance(kind, int):
            body += line("have " + text(self.path, "rev-parse", f"{self.tip}~{kind}"))
        path = self.folder / f"request-{kind}"
        path.write_bytes(body + line("done"))
        return path


def write_push(body, commands, pack):
    """Writes the body of a push; the file of the pack goes."""
    commands[0] += "\0 report-status side-band-64k"
    with body.open("wb") as output:
        output.write(b"".join(map(line, commands)) + b"0000")
        with pack.open("rb") as entries:
            while chunk := entries.read(1 << 20):
                output.write(chunk)
    pack.unlink()


def offered(url):
    """The capabilities that a server offers for fetching, those that git asks for when nobody looks on."""
    advertisement = urllib.request.urlopen(url + "/info/refs?service=git-upload-pack").read()
    known = advertisement.split(b"\0", 1)[1].split(b"\n", 1)[0].decode().split()
    wanted = [name for name in WANTED if name in known]
    return wanted if "multi_ack_detailed" in wanted else ["multi_ack", *wanted]


def objects_in(answer):
    """The bytes of an answer as it came over the connection, without HTTP's, and the number of objects in its pack."""
    head, body = answer.split(b"\r\n\r\n", 1)
    if b"transfer-encoding: chunked" in head.lower():
        chunks, at = [], 0
        while length := int(body[at : (end := body.index(b"\r\n", at))], 16):
            chunks.append(body[end + 2 : end + 2 + length])
            at = end + 4 + length
        body = b"".join(chunks)
    pack, at = b"", 0
    while len(pack) < 12 and at < len(body):
        length = max(int(body[at : at + 4], 16), 4)
        if body[at + 4 : at + 5] == b"\1":
            pack += body[at + 5 : at + length]
        at += length
    if pack[:4] != b"PACK":
        raise SystemExit(f"this is no pack: {body[:200]}")
    return len(body), int.from_bytes(pack[8:12])
