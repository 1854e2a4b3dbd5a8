"""Slash commands and pressed buttons as events of the seam (docs.slack.dev: Slash commands; block_actions payload)."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bots.slack.answers import Handle
from bots.slack.calls import Json, Web, told
from bots.slack.convert import Asked, Converter
from bots.slack.known import Known
from bots.slack.names import NAME, author_id, message_id, order, space_id, stamp
from bots.slack.render import message as shown_as
from shared.chat import Author, Command, Event, Pressed, Target
from shared.commands import BY_NAME, parse
from shared.errors import Failure

log = logging.getLogger(__name__)

LIFETIME = timedelta(minutes=30)
"""How long a response_url is good (docs.slack.dev, Handling user interaction: Using the response_url)."""

ASK, ALL = "/ask", "/threadline"
"""The commands of the app: the first asks, the other is followed by the name of any command of the table."""

CALLED = "threadline"
"""The bot's name in the app's manifest; workspaces may have given it another."""

QUESTION = 1800
"""Characters of a question that is shown again; more is cut off there, and asked whole."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came in: where, what names it, when it happened, and what makes its events."""

    channel: str
    key: str
    order: int
    make: Callable[[], Awaitable[Sequence[Event]]]


class Interactions:
    """Reads commands and presses."""

    def __init__(
        self, web: Web, converter: Converter, known: Known, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """`clock` gives the time with its zone: what comes in does not say when it was done."""
        self._web = web
        self._converter = converter
        self._known = known
        self.now = clock

    def read(self, body: Json) -> Read | None:
        """What a payload means; None for what is none of ours."""
        if "command" in body and "channel_id" in body:
            key, at = f"{NAME}:{body.get('trigger_id')}", self.now()
            return Read(str(body["channel_id"]), key, order(stamp(at)), lambda: self._command(body, key, at))
        if body.get("type") == "block_actions":
            return self._press(body)
        return None

    # commands

    async def _command(self, body: Json, key: str, at: datetime) -> Sequence[Event]:
        name, options = _parsed(str(body["command"]), str(body.get("text") or "").strip())
        author = await self._author(body.get("user_id"), body.get("user_name"), body.get("team_id"))
        channel = str(body["channel_id"])
        spec = BY_NAME.get(cast("Any", name))
        question = options.get("question", "")
        if name == "ask" and question:
            shown = await self._show(channel, Asked(key, author, question))
            if shown is not None:
                return (self._converter.question(channel, shown, Asked(key, author, question)),)
        private = spec is None or spec.private or (name == "ask" and not question)
        url = str(body.get("response_url") or "")
        target = Target(
            channel=self._converter.place(channel),
            user=author.id,
            private=private,
            handle=Handle("outside" if name == "ask" and question else "command", url).dump() if url else None,
            expires=at + LIFETIME if url else None,
        )
        return (Command(keys=(key,), target=target, author=author, sent_at=at, name=name, options=options),)

    async def _show(self, channel: str, asked: Asked) -> str | None:
        """Show the question: its message begins the thread of the answer, and is read again after a crash. Its ts, or None.

        Slack lets people give commands where the bot is not.
        """
        cut = Asked(asked.key, asked.author, asked.text[:QUESTION])
        content = shown_as(cut.shown())
        try:
            sent = await self._web.write(
                "chat.postMessage", repeats=0, channel=channel, metadata=cut.metadata(), unfurl_links=False, unfurl_media=False,
                **content,
            )  # fmt: skip
            ts = told(sent, "ts")
        except Failure as failure:
            log.info("a question cannot be shown", extra={"channel_id": channel, "detail": failure.detail})
            return None
        self._web.limits.spent(channel)
        self._known.joined(channel, ts)
        return ts

    async def _author(self, user: object, otherwise: object, team: object) -> Author:
        """Somebody by the ids that a payload has; `otherwise` is the name that it has."""
        number = str(user)
        self._known.met(number, team)
        name = (await self._known.names((number,))).get(number) or str(otherwise or "somebody")
        return Author(id=author_id(number), name=name, space=space_id(str(team)) if team else None)

    # presses

    def _press(self, body: Json) -> Read | None:
        container, actions = _dict(body.get("container")), cast("Sequence[object]", body.get("actions") or ())
        channel, ts = str(container.get("channel_id") or ""), str(container.get("message_ts") or "")
        action = _dict(actions[0]) if actions else {}
        if not channel or not ts or action.get("type") != "button":
            return None
        key, at = f"{NAME}:{body.get('trigger_id') or action.get('action_ts')}", self.now()
        return Read(channel, key, order(stamp(at)), lambda: self._pressed(body, action, container, key, at))

    async def _pressed(self, body: Json, action: Json, container: Json, key: str, at: datetime) -> Sequence[Event]:
        channel, ts, root = str(container["channel_id"]), str(container["message_ts"]), container.get("thread_ts")
        user = _dict(body.get("user"))
        author = await self._author(user.get("id"), user.get("name") or user.get("username"), user.get("team_id"))
        url = str(body.get("response_url") or "")
        where = self._converter.place(channel, str(root) if root and root != ts else None)
        target = Target(
            channel=where,
            user=author.id,
            private=True,
            handle=Handle("press", url).dump() if url else None,
            expires=at + LIFETIME if url else None,
        )
        return (
            Pressed(
                keys=(key,),
                target=target,
                author=author,
                sent_at=at,
                button=str(action.get("action_id") or ""),
                message=message_id(channel, ts),
            ),
        )


def spelt(command: str, *, in_thread: bool, me: str) -> str:
    """How a person gives a command; `me` is the bot's name.

    A text that begins with a slash is taken for a slash command everywhere, and in threads there are none (docs.slack.dev,
    Implementing slash commands); after a mention it is an ordinary text.
    """
    if in_thread:
        return f"@{me or CALLED} /{command}"
    return ASK if command == ASK.removeprefix("/") else f"{ALL} {command}"


def _parsed(command: str, text: str) -> tuple[str, dict[str, str]]:
    """The command and its options by the names of the table; a name that is not there stays as it is."""
    if command == ASK:
        return "ask", {"question": text} if text else {}
    if command != ALL:
        name = command.removeprefix("/")
        text = f"{name} {text}".strip()
    found = parse(f"/{text}") if text else parse("/help")
    if found is None:
        return text[:40], {}
    return found.name, dict(found.options)


def _dict(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
