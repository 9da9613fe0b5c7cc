"""Puts the static binary of CODECOMMIT_LOCAL_BINARY into the scripts of the wheel; scripts/packages sets the variable."""

from __future__ import annotations

import os
import platform
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# A static program needs no C library, so both kinds of systems can run it.
TAG = "py3-none-manylinux_2_17_{0}.manylinux2014_{0}.musllinux_1_1_{0}"


class BinaryHook(BuildHookInterface):
    """Adds the binary, and the tag of its platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Changes the build's data; an editable installation has no binary and finds that of PATH."""
        if version == "editable":
            return
        binary = os.environ.get("CODECOMMIT_LOCAL_BINARY")
        if not binary or not os.path.isfile(binary):
            raise RuntimeError(
                f"CODECOMMIT_LOCAL_BINARY is {binary!r}, which is no file: build the static binary with "
                "scripts/static and set the variable to its path, or run scripts/packages"
            )
        machine = os.environ.get("CODECOMMIT_LOCAL_MACHINE", platform.machine())
        build_data["shared_scripts"] = {os.path.abspath(binary): "codecommit-local"}
        build_data["pure_python"] = False
        build_data["tag"] = TAG.format(machine)
