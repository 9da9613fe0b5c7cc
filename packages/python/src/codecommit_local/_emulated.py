"""A server around a test, with the environment of clients."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

from ._environment import environment
from ._server import Server


def emulated(function: Optional[Callable[..., Any]] = None, **options: Any) -> Any:
    """Run a test with a server of its own, at which the AWS SDKs and git of this process find CodeCommit.

    A decorator, `@emulated` or `@emulated(seed="seed")`, or a context manager, `with emulated() as server:`. The options
    are those of `Server`.
    """
    if function is None:
        return _running(options)

    @functools.wraps(function)
    def decorated(*arguments: Any, **keywords: Any) -> Any:
        with _running(options):
            return function(*arguments, **keywords)

    return decorated


@contextmanager
def _running(options: dict[str, Any]) -> Iterator[Server]:
    with Server(**options) as server, environment(server.env()):
        yield server
