"""The pytest plugin: a server for the session, and a clean state for each test."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from ._environment import OVERRIDING
from ._errors import RequestError
from ._server import Server, lines

# The snapshot that every test begins with; without it, a test begins with a reset, which is faster.
SNAPSHOT = "pytest"

RUNNING = pytest.StashKey[Server]()
RECORDS_BEFORE = pytest.StashKey[int]()
LOG_BEFORE = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options, each of which is a setting of the file, too."""
    group = parser.getgroup("codecommit-local", "AWS CodeCommit on this machine")
    for name, metavar, text in (
        ("endpoint", "URL", "join a running server in place of starting one; it must allow resets (--allow-reset)"),
        ("seed", "FOLDER", "folder with what is there when each test begins"),
    ):
        group.addoption(f"--codecommit-{name}", metavar=metavar, default=None, help=text)
        parser.addini(f"codecommit_{name}", text, default=None)
    parser.addini("codecommit_identities", "file of accounts, users and roles", default=None)
    parser.addini("codecommit_flags", "further flags of the server", type="args", default=[])


@pytest.fixture(scope="session")
def codecommit_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server of the session; with pytest-xdist, of this worker."""
    config = request.config
    endpoint = _setting(config, "endpoint")
    if endpoint is not None:
        if _workers(config) > 1:
            raise pytest.UsageError(
                "--codecommit-endpoint joins one server, and each test of each worker would reset it: "
                "leave out --numprocesses, or --codecommit-endpoint, so that each worker has a server"
            )
        server = Server.join(endpoint)
    else:
        server = Server(
            seed=_path(config, _setting(config, "seed")),
            identities=_path(config, config.getini("codecommit_identities")),
            flags=config.getini("codecommit_flags"),
        )
    with server:
        # A server that is joined may have data; a seed is restored faster than it is applied.
        if endpoint is not None or _setting(config, "seed") is not None:
            _remember(server)
        config.stash[RUNNING] = server
        yield server
        del config.stash[RUNNING]


@pytest.fixture
def codecommit_env(
    request: pytest.FixtureRequest, codecommit_server: Server, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """A server as it was at the start of the session, and the environment variables with which clients find it."""
    if SNAPSHOT in codecommit_server.snapshots:
        codecommit_server.restore(SNAPSHOT)
    else:
        codecommit_server.reset()
    variables = codecommit_server.env()
    for name in OVERRIDING:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    request.node.stash[RECORDS_BEFORE] = len(codecommit_server.events())
    request.node.stash[LOG_BEFORE] = codecommit_server.log_size()
    return variables


@pytest.fixture
def codecommit(codecommit_server: Server, codecommit_env: dict[str, str]) -> Any:
    """A client of boto3 for CodeCommit, on a server as it was at the start of the session."""
    return codecommit_server.client("codecommit")


@pytest.fixture
def cloudtrail_events(
    request: pytest.FixtureRequest, codecommit_server: Server, codecommit_env: dict[str, str]
) -> Callable[..., list[dict[str, Any]]]:
    """A function that returns the CloudTrail records since the test began; its filters are those of `Server.events`."""

    def events(*filters: Any, **named: Any) -> list[dict[str, Any]]:
        return _since(request.node, codecommit_server, *filters, **named)

    return events


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Adds the records of a failed test, and the server's log, to its report."""
    outcome = yield
    report = outcome.get_result()
    server = item.config.stash.get(RUNNING, None)
    if not report.failed or server is None or LOG_BEFORE not in item.stash:
        return
    try:
        report.sections.append(("CloudTrail records of this test", lines(_since(item, server))))
    except RequestError as error:
        report.sections.append(("CloudTrail records of this test", str(error)))
    report.sections.append(("log of codecommit-local", server.log(item.stash[LOG_BEFORE]).strip()))


def _remember(server: Server) -> None:
    """Remember what every test begins with."""
    try:
        server.snapshot(SNAPSHOT)
    except RequestError as error:
        if error.status == 403:
            raise pytest.UsageError(f"{server.endpoint} does not allow tests to restore data: start it with --allow-reset") from None
        raise


def _since(node: Any, server: Server, *filters: Any, **named: Any) -> list[dict[str, Any]]:
    return server._events_after(node.stash[RECORDS_BEFORE], *filters, **named)


def _setting(config: pytest.Config, name: str) -> Optional[str]:
    return config.getoption(f"codecommit_{name}") or config.getini(f"codecommit_{name}") or None


def _workers(config: pytest.Config) -> int:
    """Return the number of workers of pytest-xdist; 1 without it."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    return int(given.get("workercount", 1))


def _path(config: pytest.Config, path: Optional[str]) -> Optional[Path]:
    """Return a path, which is relative to the folder of pytest's configuration."""
    return None if not path else config.rootpath / path
