"""Tests of the installed wheel; they run pytest in pytest."""

pytest_plugins = ["pytester"]
