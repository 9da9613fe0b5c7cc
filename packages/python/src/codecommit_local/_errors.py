"""Errors of the package; each message says what to do."""

from __future__ import annotations


class CodeCommitLocalError(Exception):
    """Base of all errors of this package."""


class StartError(CodeCommitLocalError):
    """The server cannot be found, or did not start; the message has its log."""


class RequestError(CodeCommitLocalError):
    """A request to the server failed; `status` is the status of the reply, or None if there was no reply."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class WaitTimeoutError(CodeCommitLocalError, TimeoutError):
    """No record of the awaited event was written in time; the message lists the records that were."""
