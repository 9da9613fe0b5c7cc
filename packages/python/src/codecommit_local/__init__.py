"""AWS CodeCommit on one machine, with its audit trail, for tests.

`Server` starts the server, and ends it; `emulated` does so around one test; a pytest plugin has the fixtures
`codecommit_server`, `codecommit`, `codecommit_env` and `cloudtrail_events`.
"""

from ._binary import binary
from ._emulated import emulated
from ._errors import CodeCommitLocalError, RequestError, StartError, WaitTimeoutError
from ._server import Server

__all__ = [
    "CodeCommitLocalError",
    "RequestError",
    "Server",
    "StartError",
    "WaitTimeoutError",
    "binary",
    "emulated",
]
