"""The environment of clients."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Optional

# Only the services that are here: a program may use others elsewhere.
SERVICES = ("CODECOMMIT", "CLOUDTRAIL", "STS", "IAM", "RESOURCE_GROUPS_TAGGING_API")

# What would override the variables below.
OVERRIDING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")


class GitUser(NamedTuple):
    """The user name and password that git sends."""

    name: str
    password: str


def variables(endpoint: str, region: str, key: str, secret: str, git_user: Optional[GitUser]) -> dict[str, str]:
    """Return the variables that point AWS SDKs, the AWS CLI and git at a server.

    Without `git_user`, git asks the AWS CLI for a password, which is a signature of the access key.
    """
    found = {f"AWS_ENDPOINT_URL_{service}": endpoint for service in SERVICES}
    found.update(
        AWS_REGION=region,
        AWS_DEFAULT_REGION=region,
        AWS_ACCESS_KEY_ID=key,
        AWS_SECRET_ACCESS_KEY=secret,
        AWS_EC2_METADATA_DISABLED="true",
        CODECOMMIT_LOCAL_ENDPOINT=endpoint,
    )
    if git_user is None:
        helper = "!f() { aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }; f"
    else:
        lines = f"username={git_user.name}", f"password={git_user.password}"
        helper = f"!f() {{ test $1 = get && printf '%s\\n' {' '.join(map(_quoted, lines))}; }}; f"
    # The empty value removes the helpers of the user's own configuration, which could keep the password.
    settings = [("helper", ""), ("helper", helper), ("useHttpPath", "true")]
    first = _configured()
    for number, (name, value) in enumerate(settings, first):
        found[f"GIT_CONFIG_KEY_{number}"] = f"credential.{endpoint}.{name}"
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    found["GIT_CONFIG_COUNT"] = str(first + len(settings))
    return found


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, remove what overrides them, and put everything back at the end."""
    names = [*values, *OVERRIDING]
    before = {name: os.environ.get(name) for name in names}
    for name in OVERRIDING:
        os.environ.pop(name, None)
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _configured() -> int:
    """Return how many settings of git the environment has already."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    return int(count) if count.isdecimal() else 0


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
