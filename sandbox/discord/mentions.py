"""Whom a text pings (Discord developer docs, Message: Allowed Mentions Object)."""

import re
from collections.abc import Callable, Container
from typing import Any, cast

from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.model import Json, Pings

_USER = re.compile(r"<@!?(\d{1,20})>")
_ROLE = re.compile(r"<@&(\d{1,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_WRAPPED = re.compile(r"<https?://[^\s<>]+>")
_LINK = re.compile(r"\bhttps?://[^\s<>]+")
_KINDS = ("users", "roles", "everyone")


def pings_of(
    content: str,
    allowed: Json | None,
    *,
    replied: int | None = None,
    known: Container[int] | None = None,
    may_everyone: bool = False,
    role_mentionable: Callable[[int], bool] = lambda _: True,
) -> Pings:
    """Whom `content` pings.

    Absent `allowed` means that everything in the text pings, and the author replied to as well. With it, only the kinds
    in `parse` and the ids listed ping, and the replied author only with `replied_user`. @everyone, @here and roles that
    are not mentionable also need the permission MENTION_EVERYONE. Users outside of `known` do not exist; None knows all.
    Raises `ApiError` 50035 when a kind is both parsed and listed.
    Text in code is read like any other: stricter than Discord's clients, and not documented.
    """
    parse, users, roles, replied_user = _read(allowed)
    pings = Pings()
    for found in _USER.findall(content):
        user = int(found)
        listed = "users" in parse or user in users
        if listed and user not in pings.users and (known is None or user in known):
            pings.users.append(user)
    if replied is not None and replied_user and replied not in pings.users:
        pings.users.append(replied)
    for found in _ROLE.findall(content):
        role = int(found)
        listed = "roles" in parse or role in roles
        if listed and role not in pings.roles and (may_everyone or role_mentionable(role)):
            pings.roles.append(role)
    pings.everyone = may_everyone and "everyone" in parse and bool(_EVERYONE.search(content))
    return pings


def _read(allowed: Json | None) -> tuple[set[str], set[int], set[int], bool]:
    if allowed is None:
        return set(_KINDS), set(), set(), True
    parse = {str(kind) for kind in _list(allowed, "parse")}
    if not parse <= set(_KINDS):
        raise invalid("allowed_mentions.parse", "BASE_TYPE_CHOICES", f"Value must be one of {_KINDS}.")
    users = {int(each) for each in _list(allowed, "users")}
    roles = {int(each) for each in _list(allowed, "roles")}
    for kind, ids in (("users", users), ("roles", roles)):
        if len(ids) > 100:  # Discord developer docs, Allowed Mentions Structure: max size of 100
            raise invalid(f"allowed_mentions.{kind}", "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        if ids and kind in parse:
            raise invalid(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f"parse:[{kind!r}] and {kind}: [ids...] are mutually exclusive.",
            )
    return parse, users, roles, bool(allowed.get("replied_user", False))


def _list(allowed: Json, key: str) -> list[Any]:
    value = allowed.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ApiError(50035)
    return cast("list[Any]", value)


def bare_links(content: str) -> list[str]:
    """The links of a text for which Discord shows a preview: those not written as `<link>`."""
    return _LINK.findall(_WRAPPED.sub(" ", content)) if "://" in content else []
