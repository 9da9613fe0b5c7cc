"""Prints what a suite of small tests takes: with the wheel, with moto_server, and with a bare repository.

    suites.py BINARY FOLDER RUNS

Each suite has 200 tests, each of which creates, reads and deletes a repository. The times are those of whole processes of
pytest, medians of interleaved runs.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[2]
TOOLS = ROOT / ".tools/packages"
MOTO = ROOT / ".venv/bin/moto_server"
TESTS = 200

OURS = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_repository(codecommit, number):
    codecommit.create_repository(repositoryName="MyDemoRepo")
    codecommit.get_repository(repositoryName="MyDemoRepo")
    codecommit.delete_repository(repositoryName="MyDemoRepo")
"""

STARTED = """
import boto3
import codecommit_local
import pytest

@pytest.mark.parametrize("number", range(20))
def test_server(number):
    with codecommit_local.Server():
        pass
"""

OF_MOTO = f"""
import subprocess
import urllib.request

import boto3
import pytest

@pytest.fixture(scope="session")
def endpoint():
    command = ["{MOTO}", "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    yield next(line for line in process.stderr if "Running on" in line).split("Running on ")[1].strip()
    process.kill()
    process.wait()

@pytest.fixture
def codecommit(endpoint):
    urllib.request.urlopen(urllib.request.Request(endpoint + "/moto-api/reset", method="POST")).read()
    keys = dict(aws_access_key_id="any", aws_secret_access_key="any")
    return boto3.client("codecommit", endpoint_url=endpoint, region_name="us-east-1", **keys)
""" + OURS

BARE = f"""
import subprocess

import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_repository(tmp_path, number):
    repository = tmp_path / "MyDemoRepo.git"
    subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
    subprocess.run(["git", "-C", repository, "rev-parse", "--git-dir"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["rm", "-r", repository], check=True)
"""

ONE = """
def test_repository(codecommit):
    codecommit.create_repository(repositoryName="MyDemoRepo")
"""

NONE = """
import boto3

def test_nothing():
    pass
"""


def run(*command, **variables):
    """Run a command; return its seconds."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TMPDIR": str(FOLDER), **variables}
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}")
    return time.perf_counter() - begin


def build_wheel():
    """Build the wheel, as scripts/packages does."""
    project = FOLDER / "packages/python"
    shutil.copytree(ROOT / "packages/python", project)
    shutil.copy(ROOT / "Cargo.toml", FOLDER)
    shutil.copy(ROOT / "LICENSE", project)
    command = [TOOLS / "bin/hatchling", "build", "--target", "wheel", "--directory", FOLDER]
    environment = {**os.environ, "CODECOMMIT_LOCAL_BINARY": str(BINARY)}
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (wheel,) = FOLDER.glob("*.whl")
    return wheel


def fresh_environment(name):
    """Make an environment in which only the wheel is missing; return its Python."""
    environment = FOLDER / name
    subprocess.run([TOOLS / "bin/python", "-m", "venv", environment], check=True)
    (tools,) = TOOLS.glob("lib/python*/site-packages")
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "tools.pth").write_text(f"{tools}\n")
    return environment / "bin/python"


def pytest(python, name, text):
    """Write a file of tests, and run it; return the seconds."""
    file = FOLDER / f"test_{name}.py"
    file.write_text(text)
    return run(python, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", file)


def install(number):
    """Return the seconds from the installation of the wheel to the end of the first test."""
    python = fresh_environment(f"environment-{number}")
    installed = run(python, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", WHEEL)
    return python, installed, installed + pytest(python, "one", ONE)


BINARY, FOLDER, runs = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), int(sys.argv[3])
FOLDER.mkdir(parents=True)
WHEEL = build_wheel()
installs = [install(number) for number in range(runs)]
python = installs[0][0]
suites = {"ours": OURS, "moto": OF_MOTO, "bare": BARE, "started": STARTED, "none": NONE}
taken = {name: [] for name in suites}
for _ in range(runs):
    for name, text in suites.items():
        taken[name].append(pytest(python, name, text))
median = {name: statistics.median(times) for name, times in taken.items()}
first = statistics.median(total for _, _, total in installs)
alone = statistics.median(installed for _, installed, _ in installs)
started = (median["started"] - median["none"]) / 20
print(f"pip install of the wheel ({WHEEL.stat().st_size / 2**20:.1f} MiB): {alone:.2f} s; to the end of the first test: {first:.2f} s.")
print(f"Start and stop of a server: {started * 1000:.0f} ms.")
print()
print(f"| {TESTS} tests that create, read and delete a repository | seconds | times ours | a test, ms |")
print("| --- | ---: | ---: | ---: |")
for name, title in (("ours", "codecommit-local"), ("moto", "moto_server"), ("bare", "bare repository")):
    per_test = (median[name] - median["none"]) / TESTS * 1000
    print(f"| {title} | {median[name]:.2f} | {median[name] / median['ours']:.1f} | {per_test:.1f} |")
