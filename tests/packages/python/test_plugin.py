"""The pytest plugin of the installed wheel."""

import re
from pathlib import Path

import pytest

from codecommit_local import Server

TESTS = """
import boto3
import pytest

def test_a_repository_is_created(codecommit, cloudtrail_events):
    codecommit.create_repository(repositoryName="MyDemoRepo")
    assert [event["eventName"] for event in cloudtrail_events()] == ["CreateRepository"]

def test_the_next_test_begins_without_it(codecommit, cloudtrail_events, codecommit_server):
    assert boto3.client("codecommit").list_repositories()["repositories"] == []
    assert [event["eventName"] for event in cloudtrail_events(user="Mary_*")] == ["ListRepositories"]
    print(codecommit_server.process_id)
"""


def test_each_test_begins_with_a_clean_state(pytester):
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_a_failure_shows_the_records_and_the_log(pytester):
    pytester.makepyfile(
        """
        def test_that_fails(codecommit):
            codecommit.create_repository(repositoryName="MyDemoRepo")
            codecommit.create_repository(repositoryName="MyDemoRepo")
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*RepositoryNameExistsException*",
            "*CloudTrail records of this test*",
            "*Mary_Major  CreateRepository  MyDemoRepo",
            "*Mary_Major  CreateRepository  MyDemoRepo  RepositoryNameExistsException",
            "*log of codecommit-local*",
            "*CreateRepository*RepositoryNameExists*",
        ]
    )
    result.stdout.no_fnmatch_line("*codecommit-local is ready at*")


def test_a_start_that_fails_shows_the_log(pytester):
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\ncodecommit_flags = --event-version 3\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*StartError: the server ended with status 2 before it was ready", "*invalid value '3'*"])


def test_each_worker_has_a_server(pytester):
    pytester.makepyfile(
        """
        import pathlib
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_worker(number, codecommit, codecommit_server, worker_id):
            codecommit.create_repository(repositoryName="MyDemoRepo")
            process_id = codecommit_server.process_id
            (pathlib.Path(__file__).parent / f"{worker_id}.{process_id}").touch()
        """
    )
    pytester.runpytest_subprocess("-n", "2", "--dist", "each").assert_outcomes(passed=4)
    servers = [path.name.split(".") for path in pytester.path.glob("gw*")]
    assert sorted(worker for worker, _ in servers) == ["gw0", "gw1"]
    assert len({process_id for _, process_id in servers}) == 2


def test_a_running_server_is_joined(pytester):
    with Server() as server:
        pytester.makepyfile(TESTS)
        result = pytester.runpytest_subprocess("--codecommit-endpoint", server.endpoint)
        result.assert_outcomes(passed=2)
        assert [event["eventName"] for event in server.events()] == ["ListRepositories"]
        result = pytester.runpytest_subprocess("--codecommit-endpoint", server.endpoint, "-n", "2")
        result.assert_outcomes(errors=2)
        result.stdout.fnmatch_lines(["*leave out --numprocesses, or --codecommit-endpoint*"])


def test_a_joined_server_must_allow_resets(pytester):
    with Server(flags=["--allow-reset=false"]) as server:
        pytester.makepyfile(TESTS)
        result = pytester.runpytest_subprocess("--codecommit-endpoint", server.endpoint)
        result.stdout.fnmatch_lines(["*does not allow tests to restore data: start it with --allow-reset*"])


def test_settings_of_the_file(pytester):
    pytester.makefile(".toml", identities='[[account]]\nid = "111122223333"\n[[account.user]]\nname = "Akua"\ndefault = true\n')
    pytester.makeini("[pytest]\ncodecommit_identities = identities.toml\ncodecommit_flags = --event-version 1.11\n")
    pytester.makepyfile(
        """
        def test_record(codecommit, cloudtrail_events):
            codecommit.list_repositories()
            assert cloudtrail_events()[0]["eventVersion"] == "1.11"
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_without_boto3_only_the_client_is_missing(pytester):
    pytester.makeconftest("import sys\nsys.modules['boto3'] = None\n")
    pytester.makepyfile(
        """
        import urllib.request

        def test_client(codecommit):
            pass

        def test_environment(codecommit_env, cloudtrail_events):
            assert cloudtrail_events() == []
            assert codecommit_env["AWS_ENDPOINT_URL_CODECOMMIT"]
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*client() needs boto3: pip install boto3"])


README = Path(__file__).parents[3] / "packages/python/README.md"


def blocks(language):
    """Return the blocks of the README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("python"))
def test_the_examples_of_the_readme_run(pytester, block):
    if "def test_" in block:
        pytester.makepyfile(test_example=block)
        outcomes = pytester.runpytest_subprocess().parseoutcomes()
        assert set(outcomes) == {"passed"}, outcomes
    else:
        pytester.makepyfile(example=block)
        assert pytester.runpython("example.py").ret == 0
