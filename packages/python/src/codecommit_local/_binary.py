"""The path of the server's binary."""

from __future__ import annotations

import os
import shutil
import sysconfig

from ._errors import StartError

NAME = "codecommit-local"
VARIABLE = "CODECOMMIT_LOCAL_BINARY"


def binary() -> str:
    """Return the path of the server's binary.

    `CODECOMMIT_LOCAL_BINARY` overrides all; otherwise it is that of the wheel, in the scripts of this Python or of its
    user, or that of PATH.
    """
    explicit = os.environ.get(VARIABLE)
    if explicit:
        if not _is_program(explicit):
            raise StartError(f"{VARIABLE} is {explicit!r}, which is no program: correct the variable, or unset it")
        return os.path.abspath(explicit)
    folders = _script_folders()
    for folder in folders:
        path = os.path.join(folder, NAME)
        if _is_program(path):
            return path
    found = shutil.which(NAME)
    if found is None:
        raise StartError(
            f"cannot find the program {NAME} in {', '.join(folders)} or PATH: the wheel for Linux on x86_64 has it "
            f"(pip install --force-reinstall codecommit-local); elsewhere build it from source (cargo install), and set "
            f"{VARIABLE} to its path if it is not in PATH"
        )
    return found


def _script_folders() -> list[str]:
    schemes: list[str | None] = [None]
    user = f"{os.name}_user"
    if user in sysconfig.get_scheme_names():
        schemes.append(user)
    folders = [sysconfig.get_path("scripts") if scheme is None else sysconfig.get_path("scripts", scheme) for scheme in schemes]
    return list(dict.fromkeys(folders))


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
