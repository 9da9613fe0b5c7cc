"""Requests to the server's own paths, below `/_local`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Optional

from ._errors import RequestError

# The header with the position of the last record of a reply.
LAST_EVENT = "codecommit-local-last-event"

# The server is on this machine or in its network; a proxy of the environment is not asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def request(endpoint: str, method: str, path: str, body: Any = None, timeout: float = 60.0) -> tuple[bytes, dict[str, str]]:
    """Send a request; return the reply's body and headers, whose names are in small letters."""
    data = None if body is None else json.dumps(body).encode()
    outgoing = urllib.request.Request(f"{endpoint}{path}", data=data, method=method)
    if data is not None:
        outgoing.add_header("Content-Type", "application/json")
    try:
        with _OPENER.open(outgoing, timeout=timeout) as reply:
            return reply.read(), {name.lower(): value for name, value in reply.headers.items()}
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", "replace").strip()
        raise RequestError(f"{method} {endpoint}{path} failed with status {error.code}: {_message(text)}", error.code) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise RequestError(f"{method} {endpoint}{path} failed: {reason}; is the server running?") from error


def records(endpoint: str) -> list[dict[str, Any]]:
    """Return all records of the trail, oldest first."""
    found: list[dict[str, Any]] = []
    after: Optional[str] = ""
    while after is not None:
        body, headers = request(endpoint, "GET", f"/_local/events?after={after}")
        page = [json.loads(line) for line in body.splitlines() if line]
        found += page
        after = headers.get(LAST_EVENT) if page else None
    return found


def _message(text: str) -> str:
    """Return the message of an error's body."""
    try:
        message = json.loads(text).get("message", text)
    except (ValueError, AttributeError):
        message = text
    return message or "the reply has no message"
