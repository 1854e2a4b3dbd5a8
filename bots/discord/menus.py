"""The commands of the table as Discord's application commands, registered once and only if they have changed."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

import discord

from bots.discord.calls import Caller
from shared.commands import Option, Spec
from shared.errors import Failure, RateLimited, Refused

log = logging.getLogger(__name__)

LONGEST_WAIT = 600.0
"""Seconds between two tries to register at most."""

DESCRIPTION = 100
"""Characters of a description (Discord developer docs, Application Command Structure)."""

CHAT_INPUT, STRING, ATTACHMENT = 1, 3, 11
"""Types of a command and of its options (Application Command Types, Application Command Option Type)."""

GUILD, BOT_DM, GUILD_INSTALL = 0, 1, 0
"""Where commands are offered (Interaction Context Types, Application Integration Types)."""


def payload(spec: Spec) -> dict[str, Any]:
    """A command as Discord takes it. Options that must be given come first, as Discord demands."""
    options = sorted(spec.options, key=lambda option: not option.required)
    return {
        "type": CHAT_INPUT,
        "name": spec.name,
        "description": spec.description[:DESCRIPTION],
        "options": [_option(each) for each in options],
        "contexts": [GUILD, BOT_DM],
        "integration_types": [GUILD_INSTALL],
    }


def _option(option: Option) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": ATTACHMENT if option.file else STRING,
        "name": option.name,
        "description": option.description[:DESCRIPTION],
        "required": option.required,
    }
    if option.choices:
        made["choices"] = [{"name": each, "value": each} for each in option.choices]
    if option.completes:
        made["autocomplete"] = True
    if option.most:
        made["max_length"] = option.most
    return made


class Menus:
    """Registers the commands, in the background."""

    def __init__(self, call: Caller, *, wait: float) -> None:
        """`wait` is how many seconds pass before the second try; they are doubled each time."""
        self._call = call
        self._wait = wait
        self._wanted: list[dict[str, Any]] | None = None
        self._task: asyncio.Task[None] | None = None

    def offer(self, specs: Sequence[Spec]) -> None:
        """Register these with the next session."""
        self._wanted = [payload(each) for each in specs]

    def begin(self, tasks: asyncio.TaskGroup, client: discord.Client) -> None:
        """Register in a task of its own what is not yet known to be registered."""
        if self._wanted is not None and (self._task is None or self._task.done()):
            self._task = tasks.create_task(self._register(client, self._wanted), name="discord menus")

    async def _register(self, client: discord.Client, wanted: list[dict[str, Any]]) -> None:
        wait = self._wait
        while True:
            try:
                await self._once(client, wanted)
            except Failure as failure:
                if isinstance(failure, Refused):
                    log.error("Discord refuses the commands", extra={"detail": failure.detail})
                    break
                pause = max(wait, failure.retry_after if isinstance(failure, RateLimited) else 0.0)
                log.warning("commands not registered", extra={"detail": failure.detail, "seconds": round(pause, 1)})
                await asyncio.sleep(pause * random.uniform(1.0, 1.5))  # noqa: S311 - jitter, no secret
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                break
        if self._wanted is wanted:
            self._wanted = None

    async def _once(self, client: discord.Client, wanted: list[dict[str, Any]]) -> None:
        number = client.application_id
        if number is None:
            return
        known = await self._call(lambda: client.http.get_global_commands(number))
        if _shapes(cast("Sequence[Mapping[str, Any]]", known)) == _shapes(wanted):
            return
        # One call replaces all of them; those that stay the same keep their ids (Bulk Overwrite Global Application Commands).
        await self._call(lambda: client.http.bulk_upsert_global_commands(number, payload=cast("Any", wanted)))
        log.info("commands registered", extra={"count": len(wanted)})


def _shapes(commands: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str], object]:
    """What matters of commands, without what Discord adds."""
    return {(each.get("type", CHAT_INPUT), each["name"]): _shape(each) for each in commands}


def _shape(command: Mapping[str, Any]) -> object:
    return (
        command.get("description"),
        sorted(command.get("contexts") or ()),
        sorted(command.get("integration_types") or ()),
        [_option_shape(each) for each in command.get("options") or ()],
    )


def _option_shape(option: Mapping[str, Any]) -> object:
    choices: Sequence[Mapping[str, Any]] = option.get("choices") or ()
    return (
        option["type"],
        option["name"],
        option["description"],
        bool(option.get("required")),
        bool(option.get("autocomplete")),
        option.get("max_length"),
        [(each["name"], each["value"]) for each in choices],
    )
