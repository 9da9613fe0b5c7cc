"""The server as an object."""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Optional, Union
from urllib.parse import quote, urlsplit

from . import _records, _requests
from ._binary import binary
from ._environment import GitUser, variables
from ._errors import CodeCommitLocalError, WaitTimeoutError
from ._process import Process

PathLike = Union[str, "os.PathLike[str]"]

ACCOUNT = "111122223333"
REGION = "us-east-1"
USER = "Mary_Major"
# The password and secret of every user while access is open: nothing verifies them.
SECRET = "any"
# The access key of the administrator of a server that verifies signatures.
ADMINISTRATOR = ("AKIAEXAMPLEROOT00001", "codecommit-local/administrator/of/tests")

# Seconds between two looks at the trail.
POLL_SECONDS = 0.02


class Server:
    """AWS CodeCommit on a free port of this machine, with its audit trail.

    A context manager: `with Server(seed="seed") as server:`. The server keeps everything in temporary folders, and ends with
    this process, however that ends. Several servers do not disturb each other.

    Args:
        seed: folder with what is there at the start and after `reset`.
        identities: file of accounts, users and roles with their keys.
        clock: time of the first call, such as "2026-01-31T12:00:00Z"; the clock then advances with each call.
        id_seed: text that all ids are derived from; with `clock`, records and commits are the same in every run.
        access: "open" (credentials name the caller), "signed" (they must be valid) or "enforced" (policies decide, too).
        account, region: those of callers and requests that name none.
        flags: further flags of the server, such as ["--event-version", "1.11"]; they override those of this class.
        start_timeout, stop_timeout: seconds until a start has failed, and until a stopping server is killed.
    """

    def __init__(
        self,
        *,
        seed: Optional[PathLike] = None,
        identities: Optional[PathLike] = None,
        clock: Optional[str] = None,
        id_seed: Optional[str] = None,
        access: Optional[str] = None,
        account: str = ACCOUNT,
        region: str = REGION,
        flags: Sequence[str] = (),
        start_timeout: float = 30.0,
        stop_timeout: float = 10.0,
    ) -> None:
        self.account = account
        self.region = region
        # The names of the snapshots that were taken by this object.
        self.snapshots: set[str] = set()
        self._is_verifying = access not in (None, "open")
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._process: Optional[Process] = None
        self._endpoint: Optional[str] = None
        # Sessions of boto3 are not safe for threads.
        self._lock = threading.Lock()
        self._session: Any = None
        options: dict[str, Optional[str]] = {
            "--listen": "127.0.0.1:0",
            "--ephemeral": None,
            "--allow-reset": None,
            "--exit-with-parent": None,
            "--account": account,
            "--region": region,
            # A user name in a URL names the caller only if the server asks for it.
            "--git-auth": "ask",
        }
        if self._is_verifying:
            options["--root-access-key"], options["--root-secret-key"] = ADMINISTRATOR
        files = {"--seed": seed, "--identities": identities}
        options.update({flag: os.fspath(path) for flag, path in files.items() if path is not None})
        texts = {"--clock": clock, "--id-seed": id_seed, "--access": access}
        options.update({flag: text for flag, text in texts.items() if text is not None})
        given = {flag.partition("=")[0] for flag in flags}
        if "--data-dir" in given:
            del options["--ephemeral"]
        chosen = ((flag, value) for flag, value in options.items() if flag not in given)
        self._flags = [word for flag, value in chosen for word in (flag, value) if word is not None] + list(flags)

    @classmethod
    def join(cls, endpoint: str, *, account: str = ACCOUNT, region: str = REGION) -> Server:
        """Return a server that runs already; `stop` leaves it alone. It allows `reset` only with its flag --allow-reset."""
        server = cls(account=account, region=region)
        server._endpoint = endpoint.rstrip("/")
        _requests.request(server._endpoint, "GET", "/_local/health")
        return server

    def start(self) -> Server:
        """Start the server, unless it runs, and wait until it is ready. `with` does so."""
        if self._endpoint is None:
            self._process = Process([binary(), *self._flags], self._start_timeout)
            self._endpoint = self._process.endpoint
        return self

    def stop(self) -> None:
        """Stop the server: by SIGTERM, and by SIGKILL if it still runs after `stop_timeout`."""
        if self._process is not None:
            self._process.stop(self._stop_timeout)
            self._process = self._endpoint = None
            self.snapshots.clear()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL of the server."""
        if self._endpoint is None:
            raise CodeCommitLocalError("the server does not run: use it inside `with Server() as server:`, or call start()")
        return self._endpoint

    @property
    def trail(self) -> Path:
        """The folder of the trail: `events.ndjson`, log files, digests."""
        body, _ = _requests.request(self.endpoint, "GET", "/_local/folders")
        return Path(json.loads(body)["trail"])

    @property
    def process_id(self) -> Optional[int]:
        """The id of the server's process; None for a server that was joined."""
        return None if self._process is None else self._process.id

    def log(self, start: int = 0) -> str:
        """Return the end of the server's log, from a position on; of a server that was joined, nothing."""
        return "" if self._process is None else self._process.log(start)

    def log_size(self) -> int:
        """Return the position of the end of the server's log, for a later `log`."""
        return 0 if self._process is None else self._process.log_size()

    def events(
        self,
        name: Optional[str] = None,
        user: Optional[str] = None,
        repository: Optional[str] = None,
        error: Optional[str] = None,
        writes: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the CloudTrail records, oldest first. `*` and `?` in a filter match any letters and one letter.

        Args:
            name: name of the event, such as "GitPush" or "Create*".
            user: name of the caller, as `codecommit-local events` prints it: "Li_Juan", "ROLE/SESSION".
            repository: name of a repository.
            error: error code; "?*" for every failed call.
            writes: only calls that change something.
        """
        return self._events_after(0, name, user, repository, error, writes)

    def _events_after(self, skipped: int, *filters: Any, **named: Any) -> list[dict[str, Any]]:
        """Return the records after the first ones."""
        return _records.select(_requests.records(self.endpoint)[skipped:], *filters, **named)

    def wait_for(self, name: str, timeout: float = 10.0, **filters: Any) -> dict[str, Any]:
        """Return the first record of an event; wait for it up to `timeout` seconds. The filters are those of `events`.

        A call is recorded before its reply, so this is for the calls of other programs.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = self.events(name, **filters)
            if found:
                return found[0]
            if time.monotonic() >= deadline:
                raise WaitTimeoutError(f"no {name} was recorded in {timeout:g} seconds; there are:\n{lines(self.events())}")
            time.sleep(POLL_SECONDS)

    def reset(self) -> None:
        """Remove all data and records, then apply the seed again."""
        _requests.request(self.endpoint, "POST", "/_local/reset")

    def snapshot(self, name: str) -> None:
        """Remember the state of the server, for `restore`."""
        _requests.request(self.endpoint, "POST", f"/_local/snapshots/{quote(name, safe='')}")
        self.snapshots.add(name)

    def restore(self, name: str) -> None:
        """Go back to a snapshot: what came after it is dropped, records included."""
        _requests.request(self.endpoint, "POST", f"/_local/snapshots/{quote(name, safe='')}/restore")

    def fail(self, failures: Iterable[dict[str, Any]]) -> None:
        """Replace the failures to simulate; an empty list ends them.

        Each is a table of `[[simulate.failure]]` in the server's file of settings: {"operation": "PutFile", "after": 2,
        "times": 1, "error": "ThrottlingException"}.
        """
        _requests.request(self.endpoint, "PUT", "/_local/failures", list(failures))

    def client(self, service: str = "codecommit", user: Optional[str] = None, secret: str = SECRET, **options: Any) -> Any:
        """Return a client of boto3 for a service, whose calls a user makes; `options` are those of `boto3.client`.

        Where access is signed or enforced, `user` is an access key and `secret` its secret; without `user` the
        administrator calls.
        """
        key, secret = self._key(user, secret)
        options.setdefault("region_name", self.region)
        options.setdefault("endpoint_url", self.endpoint)
        options.setdefault("aws_access_key_id", key)
        options.setdefault("aws_secret_access_key", secret)
        with self._lock:
            return self._boto3_session().client(service, **options)

    def env(self, user: Optional[str] = None, secret: str = SECRET) -> dict[str, str]:
        """Return the environment variables that point AWS SDKs, the AWS CLI and git at the server, as a user.

        With them, git needs no user name in a URL. `user` and `secret` are those of `client`.
        """
        key, key_secret = self._key(user, secret)
        git_user = None if self._is_verifying else GitUser(self._git_name(user or USER), SECRET)
        return variables(self.endpoint, self.region, key, key_secret, git_user)

    def clone_url(
        self,
        name: str,
        user: Optional[str] = None,
        password: str = SECRET,
        *,
        account: Optional[str] = None,
        region: Optional[str] = None,
    ) -> str:
        """Return the URL of a repository for git, with the user that is recorded.

        Where access is signed or enforced, `user` and `password` are Git credentials; without them, the URL has none.
        """
        endpoint = urlsplit(self.endpoint)
        path = f"/v1/repos/{quote(name)}"
        if account is not None or region is not None:
            path = f"/{account or self.account}/{region or self.region}{path}"
        if user is None and self._is_verifying:
            return f"{self.endpoint}{path}"
        credentials = f"{quote(self._git_name(user or USER), safe='')}:{quote(password, safe='')}"
        return f"{endpoint.scheme}://{credentials}@{endpoint.netloc}{path}"

    def _boto3_session(self) -> Any:
        """Return a session of boto3: one for all clients, because each reads the models of its services anew."""
        if self._session is None:
            try:
                boto3: Any = importlib.import_module("boto3")
            except ImportError as error:
                raise CodeCommitLocalError("client() needs boto3: pip install boto3") from error
            self._session = boto3.session.Session()
        return self._session

    def _key(self, user: Optional[str], secret: str) -> tuple[str, str]:
        if user is None and self._is_verifying:
            return ADMINISTRATOR
        return user or USER, secret

    def _git_name(self, user: str) -> str:
        return user if "-at-" in user else f"{user}-at-{self.account}"


def lines(records: list[dict[str, Any]], most: int = 50) -> str:
    """Return the last records as lines for people."""
    if not records:
        return "  (no records)"
    skipped = [f"  ... {len(records) - most} earlier ones"] if len(records) > most else []
    return "\n".join(skipped + [f"  {_records.line(record)}" for record in records[-most:]])
