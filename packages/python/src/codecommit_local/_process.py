"""The server as a child process."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Sequence

from ._errors import StartError

# Bytes of the log that an error shows.
LOG_BYTES_MAX = 20_000


class Process:
    """A running server; it ends with this process, however that ends."""

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        # Without a name, so that nothing is left of it.
        self._log = tempfile.TemporaryFile()
        try:
            # The server stops when the other end of its standard input is closed. No other child inherits that end.
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True
            )
        except OSError as error:
            self._log.close()
            raise StartError(
                f"cannot start {command[0]}: {error.strerror}; install the package for this platform, or set "
                "CODECOMMIT_LOCAL_BINARY to a program that this machine can run"
            ) from error
        try:
            self.endpoint = self._ready(command, timeout)
        except BaseException:
            self.stop(0)
            raise

    @property
    def id(self) -> int:
        """The process id."""
        return self._child.pid

    def is_running(self) -> bool:
        """Return whether the process has not ended."""
        return self._child.poll() is None

    def log_size(self) -> int:
        """Return how many bytes the server wrote to its log."""
        return os.fstat(self._log.fileno()).st_size

    def log(self, start: int = 0) -> str:
        """Return the end of what the server wrote to its log from a position on."""
        # The child shares the position of the file, so it is not moved.
        data = os.pread(self._log.fileno(), LOG_BYTES_MAX, max(start, self.log_size() - LOG_BYTES_MAX))
        return data.decode("utf-8", "replace")

    def stop(self, timeout: float) -> None:
        """End the process: SIGTERM, and SIGKILL after `timeout` seconds."""
        if self.is_running() and timeout > 0:
            self._child.terminate()
            if not self._has_ended(timeout):
                self._child.kill()
        elif self.is_running():
            self._child.kill()
        self._child.wait()
        for file in (self._child.stdin, self._child.stdout, self._log):
            if file is not None:
                file.close()

    def _has_ended(self, timeout: float) -> bool:
        """Wait until the process ends, and return whether it does in time.

        Its standard output ends with it. The `wait` of subprocess looks in growing intervals, which takes longer than the stop.
        """
        output = self._child.stdout
        assert output is not None, "standard output is piped"
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                if not os.read(output.fileno(), 4096):
                    return True
        return False

    def _ready(self, command: Sequence[str], timeout: float) -> str:
        """Wait for the line `ready URL`; return the URL."""
        output = self._child.stdout
        assert output is not None, "standard output is piped"
        deadline = time.monotonic() + timeout
        printed = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while b"\n" not in printed:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise StartError(self._failure(command, f"was not ready after {timeout:g} seconds"))
                data = os.read(output.fileno(), 4096)
                if not data:
                    status = self._child.wait()
                    raise StartError(self._failure(command, f"ended with status {status} before it was ready"))
                printed += data
        word, _, url = printed.decode("utf-8", "replace").partition("\n")[0].partition(" ")
        if word != "ready":
            raise StartError(self._failure(command, f"printed {word!r} in place of its ready line; is it codecommit-local?"))
        return url.strip()

    def _failure(self, command: Sequence[str], what: str) -> str:
        log = self.log().strip() or "(empty)"
        return f"the server {what}\ncommand: {' '.join(command)}\nlog:\n{log}"
