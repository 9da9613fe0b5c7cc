"""The same commands against Apache with `git http-backend` and against the example `serve`, and what differs.

    run.py SERVE [WORD...]        SERVE is the example's binary; only scenarios whose name has all words are run

Each scenario (scenarios/*.sh) is run with every git that is installed, once against each server, each time with fresh
copies of the repositories it asks for. Compared are what the commands print and how they end, and then, for every
repository on either side: its references, `git fsck --full --strict`, its objects, and what was left lying about.
Prints a table and the differences; fails unless all of them are in what is printed, and listed in `intended`.
"""

import concurrent.futures
import difflib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
SECONDS_MAX = 120
# Apache does not run as root, and git serves nobody another user's repositories: everything here is another user's.
AS = {"user": "www-data", "group": "www-data", "extra_groups": []} if os.geteuid() == 0 else {}
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "Committer",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
    "GIT_AUTHOR_DATE": "1700040000 +0000",
    "GIT_COMMITTER_DATE": "1700040000 +0000",
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "gc.auto",
    "GIT_CONFIG_VALUE_1": "0",
    "GIT_CONFIG_KEY_2": "maintenance.auto",
    "GIT_CONFIG_VALUE_2": "false",
}


def gits():
    """Every git that is installed, by version: the folder that has it. The first in PATH comes first."""
    found = {}
    for folder in os.environ["PATH"].split(os.pathsep) + ["/usr/bin"]:
        program = pathlib.Path(folder, "git")
        if program.exists():
            version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
            found.setdefault(version, folder)
    return found


def environment(folder, home):
    path = os.pathsep.join([folder, os.environ["PATH"], "/usr/bin", "/usr/sbin"])
    return {**ENVIRONMENT, "PATH": path, "HOME": str(home), "pkt": str(home / "pkt.py")}


def scenarios(words):
    """The scenarios of all files: a name and a script."""
    for path in sorted((HERE / "scenarios").glob("*.sh")):
        for part in path.read_text().split("### ")[1:]:
            title, script = part.split("\n", 1)
            name = f"{path.stem}: {title}"
            if all(word in name for word in words):
                yield name, script


def intended():
    """Scenarios that are meant to print something else: the name and why."""
    lines = (HERE / "intended").read_text().splitlines()
    return dict(line.split(" | ", 1) for line in lines if line and not line.startswith("#"))


class Server:
    """A server of the repositories below `root`."""

    def __init__(self, command, root, url, variables):
        self.root, self.url = root, url
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=variables, cwd=root, **AS)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def apache(work, variables, core):
    root = work / "apache" / "root"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**variables, "FOLDER": str(root.parent), "PORT": str(port), "GIT_CORE": core}
    program = shutil.which("apache2", path=variables["PATH"])
    server = Server([program, "-f", str(work / "apache.conf"), "-DFOREGROUND"], root, f"http://127.0.0.1:{port}/smart", variables)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.05)
    sys.exit("Apache does not start: " + (root.parent / "error.log").read_text())


def serve(work, variables):
    root = work / "serve" / "root"
    server = Server([str(work / "serve-program"), str(root), "0"], root, "", variables)
    server.url = server.process.stdout.readline().decode().strip().rstrip("/")
    return server


def git(folder, *arguments, variables):
    done = subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=folder, env=variables, capture_output=True, **AS)
    return (done.stdout + done.stderr).decode(errors="backslashreplace")


def describe(folder, variables):
    """All that matters of a repository, as text."""
    variables = {**variables, "GIT_NO_LAZY_FETCH": "1"}
    yield "references", git(folder, "for-each-ref", variables=variables) + git(folder, "rev-parse", "--symbolic-full-name", "HEAD", variables=variables)
    yield "fsck", "".join(sorted(git(folder, "fsck", "--full", "--strict", "--no-progress", variables=variables).splitlines(True)))
    objects = git(folder, "cat-file", "--batch-all-objects", "--batch-check", "--unordered", variables=variables)
    yield "objects", "".join(sorted(objects.splitlines(True)))
    top = folder / ".git" if (folder / ".git").is_dir() else folder
    left = [path for path in top.rglob("*") if re.search(r"tmp_|incoming|quarantine|staging|\.lock$|\.keep$", path.name)]
    yield "left lying about", "\n".join(sorted(path.name for path in left))
    shallow = top / "shallow"
    yield "shallow", "\n".join(sorted(set(shallow.read_text().split()))) if shallow.exists() else ""


def run(script, server, name, folder, work):
    """Runs a scenario once; gives its exit status and the sections that are compared."""
    label = re.sub("[^a-z0-9]+", "-", name.lower())[:60] + "-" + str(abs(hash((name, folder))))[:6]
    root, client = server.root / label, work / "clients" / server.root.parent.name / label
    for path in (root, client):
        path.mkdir(parents=True)
        if AS:
            shutil.chown(path, "www-data", "www-data")
    variables = environment(folder, work)
    variables |= {"root": str(root), "url": f"{server.url}/{label}", "fixtures": str(work / "fixtures")}
    try:
        done = subprocess.run(["bash", "-c", f". {work}/environment.sh\n{script}"], cwd=client, env=variables, timeout=SECONDS_MAX,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **AS)
        code, output = done.returncode, done.stdout.decode(errors="backslashreplace")
    except subprocess.TimeoutExpired as late:
        code, output = "timeout", (late.stdout or b"").decode(errors="backslashreplace")
    sections = {"output": normalised(output, server, label, work), "exit": str(code)}
    reference = environment(next(iter(gits().values())), work)
    for side, place in (("server", root), ("client", client)):
        for repository in sorted(place.rglob("*")):
            if (repository / "HEAD").is_file() and (repository / "objects").is_dir() or (repository / ".git").is_dir():
                if repository.name != ".git":
                    for title, text in describe(repository, reference):
                        sections[f"{side} {repository.relative_to(place)}: {title}"] = text
    shutil.rmtree(root)
    shutil.rmtree(client)
    return code, sections


def normalised(text, server, label, work):
    text = text.replace(server.url, "URL").replace(label, "SCENARIO")
    text = text.replace(str(work / server.root.parent.name), "SERVER").replace(str(work / "clients" / server.root.parent.name), "CLIENT")
    text = re.sub(r"agent=\S+", "agent=X", text)
    # Two streams race: what the server says and what the client says at the end.
    return re.sub(r"line \d+: *\d+ Done", "", text)


def compare(name, script, folder, servers, work):
    """The differences of a scenario between the two servers by what differs; what Apache's side printed if it failed."""
    (peer_code, peer), (_, ours) = (run(script, server, name, folder, work) for server in servers)
    differences = {}
    for title in sorted(peer.keys() | ours.keys()):
        one, other = peer.get(title, "none"), ours.get(title, "none")
        if one != other:
            lines = difflib.unified_diff(one.splitlines(), other.splitlines(), "apache", "serve", lineterm="", n=2)
            lines = list(lines)
            more = [f"... {len(lines) - 40} more lines"] if len(lines) > 40 else []
            differences[title] = f"--- {title}\n" + "\n".join(lines[:40] + more)
    return differences, peer["output"] if peer_code != 0 else None


def main():
    program, *words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for name in ("apache/root", "serve/root", "clients/apache", "clients/serve", "fixtures"):
            (work / name).mkdir(parents=True)
        for name in ("apache.conf", "environment.sh", "fixtures.sh", "pkt.py"):
            shutil.copy(HERE / name, work)
        shutil.copy(program, work / "serve-program")
        if AS:
            subprocess.run(["chown", "-R", "www-data:www-data", work], check=True)
        # The servers and the fixtures are of the newest git.
        versions = gits()
        newest = max(versions, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])
        variables = environment(versions[newest], work)
        subprocess.run(["bash", "../fixtures.sh"], cwd=work / "fixtures", env=variables, check=True, **AS)
        core = subprocess.run(["git", "--exec-path"], env=variables, capture_output=True, text=True, check=True).stdout.strip()
        servers = [apache(work, variables, core), serve(work, variables)]
        try:
            sys.exit(report(versions, words, servers, work))
        finally:
            for server in servers:
                server.stop()


def report(versions, words, servers, work):
    known, failures, notes, counts = intended(), [], [], {}
    listed = list(scenarios(words))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [(name, version, pool.submit(compare, name, script, folder, servers, work))
                 for name, script in listed for version, folder in versions.items()]
        results = {}
        for name, version, task in tasks:
            differences, broken = task.result()
            if broken is not None:
                result, text = "BROKEN", broken
            elif differences:
                is_meant = name in known and differences.keys() == {"output"}
                result, text = ("intended" if is_meant else "DIFFERS"), "\n".join(differences.values())
            else:
                result, text = "same", ""
            results.setdefault(name, {})[version] = result
            counts[result] = counts.get(result, 0) + 1
            if result in ("BROKEN", "DIFFERS"):
                failures.append(f"=== {name} (git {version}): {result}\n{text}\n")
    for name, by_version in results.items():
        if name in known and set(by_version.values()) == {"same"}:
            failures.append(f"=== {name}: listed as an intended difference, but there is none\n")
        elif name in known:
            notes.append(f"{name}: {known[name]}")
    width = max(map(len, results), default=0)
    print(f"{'scenario':{width}}  " + "  ".join(f"git {version}" for version in versions))
    for name, by_version in results.items():
        print(f"{name:{width}}  " + "  ".join(f"{by_version[version]:{len(version) + 4}}" for version in versions).rstrip())
    if notes:
        print("\nIntended differences:\n" + "\n".join(notes))
    if failures:
        print("\n" + "\n".join(failures))
    bad = counts.get("BROKEN", 0) + counts.get("DIFFERS", 0)
    print(f"\nparity: {sum(counts.values()) - bad} passed, {bad} failed")
    return 1 if failures else 0


main()
