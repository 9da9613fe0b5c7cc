"""`Server` and `emulated` of the installed wheel."""

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

import boto3
import pytest

import codecommit_local
from codecommit_local import Server, StartError


def ended(process_id):
    """Return whether a process has ended; one that nobody has waited for has no command line."""
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes() == b""
    except OSError:
        return True


def wait_until(condition):
    """Wait for a condition, up to a time after which it never holds."""
    with subprocess.Popen(["sleep", "30"]) as limit:
        while not condition():
            assert limit.poll() is None, "the condition does not hold"
        limit.kill()


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture(autouse=True)
def clean(request):
    if "server" in request.fixturenames:
        request.getfixturevalue("server").reset()


def push(server, name, user=None):
    """Push a commit to a new repository, as a user."""
    server.client().create_repository(repositoryName=name)
    script = """
        git init --quiet --initial-branch main work && cd work
        git -c user.name=Li -c user.email=li@example.com commit --quiet --allow-empty --message First
        git push --quiet "$0" main
    """
    subprocess.run(["sh", "-ec", script, server.clone_url(name, user=user)], check=True)


def test_the_caller_of_a_client_and_of_git_is_recorded(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    push(server, "MyDemoRepo", user="Li_Juan")
    (pushed,) = [event for event in server.events(name="GitPush", user="Li_*") if event["additionalEventData"]["dataTransferred"]]
    assert pushed["userIdentity"]["userName"] == "Li_Juan"
    assert server.wait_for("CreateRepository", repository="MyDemoRepo")["userIdentity"]["userName"] == "Mary_Major"
    assert (server.trail / "events.ndjson").read_text().count("\n") == len(server.events())


def test_git_finds_the_caller_in_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    push(server, "MyDemoRepo")
    url = server.client().get_repository(repositoryName="MyDemoRepo")["repositoryMetadata"]["cloneUrlHttp"]
    subprocess.run(["git", "clone", "--quiet", url, "clone"], env={**os.environ, **server.env(user="Li_Juan")}, check=True)
    assert {event["userIdentity"]["userName"] for event in server.events(name="GitPull")} == {"Li_Juan"}


def test_filters_select_records(server):
    server.client(user="Li_Juan").create_repository(repositoryName="MyDemoRepo")
    with pytest.raises(Exception, match="RepositoryDoesNotExist"):
        server.client().get_repository(repositoryName="Missing")
    assert [event["eventName"] for event in server.events(error="?*")] == ["GetRepository"]
    assert [event["eventName"] for event in server.events(writes=True)] == ["CreateRepository"]
    assert server.events(user="li_juan") == []


def test_what_is_not_recorded_in_time_is_an_error_with_the_records(server):
    server.client().create_repository(repositoryName="MyDemoRepo")
    with pytest.raises(TimeoutError, match="no GitPush was recorded(?s:.*)Mary_Major  CreateRepository  MyDemoRepo"):
        server.wait_for("GitPush", timeout=0.1)


def test_a_snapshot_is_restored(server):
    client = server.client()
    client.create_repository(repositoryName="Before")
    server.snapshot("prepared")
    client.create_repository(repositoryName="After")
    server.restore("prepared")
    assert [found["repositoryName"] for found in client.list_repositories()["repositories"]] == ["Before"]
    with pytest.raises(codecommit_local.RequestError) as error:
        server.restore("unknown")
    assert error.value.status == 404


def test_a_start_that_fails_shows_the_log():
    with pytest.raises(StartError, match="(?s)status 1 before it was ready.*log:.*nothing.toml"):
        Server(identities="nothing.toml").start()


def test_an_environment_without_the_binary_is_an_error_with_a_remedy(monkeypatch):
    monkeypatch.setenv("CODECOMMIT_LOCAL_BINARY", "/nowhere")
    with pytest.raises(StartError, match="'/nowhere', which is no program: correct the variable"):
        codecommit_local.binary()
    monkeypatch.delenv("CODECOMMIT_LOCAL_BINARY")
    assert codecommit_local.binary() == os.path.join(os.path.dirname(sys.executable), "codecommit-local")
    monkeypatch.setattr("sysconfig.get_path", lambda *_: "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StartError, match="cannot find the program codecommit-local in /nowhere.*pip install"):
        codecommit_local.binary()


def test_the_administrator_calls_a_server_that_verifies_signatures():
    with Server(access="signed") as server:
        server.client().create_repository(repositoryName="MyDemoRepo")
        with pytest.raises(Exception, match="UnrecognizedClient|InvalidClientTokenId|security token"):
            server.client(user="Li_Juan").list_repositories()


def test_a_fixed_clock_and_ids_are_the_same_in_every_run():
    def record():
        with Server(clock="2026-01-31T12:00:00Z", id_seed="lab") as server:
            server.client().list_repositories()
            (event,) = server.events()
            return event["eventTime"], event["eventID"]

    first = record()
    assert first[0] == "2026-01-31T12:00:00Z"
    assert record() == first


def test_flags_override_those_of_the_class(tmp_path):
    with Server(flags=["--data-dir", str(tmp_path / "data"), "--git-auth=never"]) as server:
        assert server.trail == tmp_path / "data" / "trail"
    assert (tmp_path / "data" / "trail" / "events.ndjson").exists()


def test_a_running_server_is_joined(server):
    joined = Server.join(server.endpoint)
    with joined:
        joined.client().create_repository(repositoryName="MyDemoRepo")
    assert [event["eventName"] for event in server.events()] == ["CreateRepository"]


def test_nothing_is_left_of_a_test_process_that_is_killed(tmp_path):
    program = """
import codecommit_local, time
server = codecommit_local.Server().start()
print(server.process_id, flush=True)
server.wait_for("Nothing", timeout=60)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        process_id = int(parent.stdout.readline())
        assert list(tmp_path.iterdir())
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: ended(process_id))
    assert list(tmp_path.iterdir()) == []


class TestUnittest(unittest.TestCase):
    @codecommit_local.emulated
    def test_a_decorator(self):
        boto3.client("codecommit").create_repository(repositoryName="MyDemoRepo")

    @codecommit_local.emulated(region="eu-west-1")
    def test_a_decorator_with_options(self):
        created = boto3.client("codecommit").create_repository(repositoryName="MyDemoRepo")
        self.assertIn(":eu-west-1:", created["repositoryMetadata"]["Arn"])

    def test_a_context(self):
        before = dict(os.environ)
        with codecommit_local.emulated() as server:
            boto3.client("codecommit").create_repository(repositoryName="MyDemoRepo")
            self.assertEqual(len(server.events(name="CreateRepository")), 1)
        self.assertEqual(dict(os.environ), before)
