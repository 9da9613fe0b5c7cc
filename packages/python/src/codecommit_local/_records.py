"""Selection of CloudTrail records."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Optional

Record = dict[str, Any]


def caller(record: Record) -> str:
    """Return the name of a record's caller as `codecommit-local events` prints it: of a user, a session (`ROLE/SESSION`), a
    service or a person; `-` if the record has none."""
    identity = record.get("userIdentity") or {}
    kind = identity.get("type")
    name: Optional[str]
    if kind in ("AssumedRole", "FederatedUser"):
        _, _, session = identity.get("arn", "").partition("/")
        name = session or identity.get("principalId")
    elif kind == "Root":
        alias = identity.get("userName")
        name = f"root of {alias}" if alias else "root"
    elif kind == "AWSService":
        name = identity.get("invokedBy")
    elif kind == "AWSAccount":
        name = f"account {identity['accountId']}" if "accountId" in identity else None
    elif kind == "IdentityCenterUser":
        name = (identity.get("onBehalfOf") or {}).get("userId")
    else:
        name = identity.get("userName") or identity.get("principalId")
    return name or "-"


def select(
    records: list[Record],
    name: Optional[str] = None,
    user: Optional[str] = None,
    repository: Optional[str] = None,
    error: Optional[str] = None,
    writes: bool = False,
) -> list[Record]:
    """Return the records that match all filters; `*` and `?` in a text match any letters and one letter."""

    def matches(record: Record) -> bool:
        return (
            (name is None or fnmatchcase(record.get("eventName", ""), name))
            and (user is None or fnmatchcase(caller(record), user))
            and (repository is None or any(fnmatchcase(found, repository) for found in _repositories(record)))
            and (error is None or fnmatchcase(record.get("errorCode", ""), error))
            and (not writes or record.get("readOnly") is False)
        )

    return [record for record in records if matches(record)]


def line(record: Record) -> str:
    """Return a record as a line for people."""
    error = record.get("errorCode", "")
    words = [record.get("eventTime", ""), caller(record), record.get("eventName", ""), *_repositories(record), error]
    return "  ".join(word for word in words if word)


def _repositories(record: Record) -> list[str]:
    """Return the names of the repositories of a record: of a call's parameters, or, for Git, of its resources."""
    parameters = record.get("requestParameters") or {}
    names = [parameters.get("repositoryName"), *(parameters.get("repositoryNames") or [])]
    arns = [resource.get("ARN", "") for resource in record.get("resources") or []]
    names += [arn.rpartition(":")[2] for arn in arns if ":codecommit:" in arn]
    return [name for name in dict.fromkeys(names) if name]
