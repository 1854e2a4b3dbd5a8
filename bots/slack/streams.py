"""Messages that are written bit by bit: chat.startStream, chat.appendStream, chat.stopStream (docs.slack.dev)."""

import html
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

from bots.slack.agents import Agents
from bots.slack.calls import Json, Web, told
from bots.slack.failures import AUTH, code_of
from bots.slack.names import Place, bare, message_id, place_of, ts_of
from bots.slack.render import certain, plain, render, row
from bots.slack.showing import Showing, metadata, where
from shared.chat import Button, MessageId, Target
from shared.errors import Forbidden, Gone, RateLimited, Refused, TooLarge

log = logging.getLogger(__name__)

LIFETIME = 240.0
"""Seconds for which a stream is let grow. Slack ends it about five minutes after its start, and what it then shows looks broken
until it is updated (python-slack-sdk issue 1859, node-slack-sdk issue 2702)."""

NOT_AGAIN = 3600.0
"""Seconds for which no stream is begun where Slack refused one."""

KEPT = 2000
"""How many streams, and how many places without them, are remembered."""

_OVER = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
"""It grows no more and can be updated."""

_STREAMS = frozenset({"streaming_state_conflict", "cant_delete_message"})
"""A message that streams can be neither updated (chat.update: Errors) nor deleted; only once its stream has ended."""

_NOWHERE = frozenset(
    {
        "deprecated_endpoint",
        "feature_disabled",
        "feature_not_enabled",
        "method_deprecated",
        "missing_scope",
        "not_agent_app",
        "not_allowed",
        "not_allowed_token_type",
        "paid_teams_only",
        "team_access_not_granted",
        "unknown_method",
    }
)
"""There are no streams in the whole workspace."""

_EVERYWHERE = ""


@dataclass(slots=True)
class _Stream:
    """What is known of a message that was begun."""

    shown: str = ""
    """All that has been written, as it was sent."""
    plain: bool = False
    """It was posted, since there are no streams there: it is shown more of by updates."""
    unsure: bool = False
    """What it shows is not known, or it may hold no more: it has to be stopped and then updated."""
    over: bool = False
    """Slack or a person has ended it."""


class Growing:
    """The streams of one process, and where there are none. They outlive a connection."""

    def __init__(self, on: bool, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`on` says whether streams are wanted at all; `clock` gives seconds that only grow."""
        self.on = on
        self._clock = clock
        self._open: OrderedDict[MessageId, _Stream] = OrderedDict()
        self._refused: OrderedDict[str, float] = OrderedDict()

    def wanted(self, target: Target) -> bool:
        """Whether there may be streams there. The same for a target at all times."""
        return self.on and not target.private

    def lifetime(self, target: Target) -> float | None:
        """For how many seconds a stream may grow there; None where Slack would take none.

        Streams are in threads; outside of direct chats they name who receives them (chat.startStream: recipient_user_id).
        """
        place = where(target)
        named = target.user is not None or place.channel.startswith("D")
        return LIFETIME if self.wanted(target) and place.root and named and not self._without(place) else None

    def refuse(self, place: Place, refused: Refused) -> None:
        """Slack took no stream there. What is about one person or one text is not remembered, nor that we may not write there."""
        code = code_of(refused)
        if code not in _NOWHERE and (isinstance(refused, (Forbidden, TooLarge)) or code in AUTH or "recipient" in code):
            return
        self._refused[_EVERYWHERE if code in _NOWHERE else place.channel] = self._clock() + NOT_AGAIN
        if len(self._refused) > KEPT:
            self._refused.popitem(last=False)

    def _without(self, place: Place) -> bool:
        return any(self._clock() < self._refused.get(each, 0.0) for each in (_EVERYWHERE, place.channel))

    def put(self, message: MessageId, stream: _Stream) -> None:
        """A message was begun."""
        self._open[message] = stream
        if len(self._open) > KEPT:
            self._open.popitem(last=False)

    def of(self, message: MessageId) -> _Stream | None:
        """What is known of a message; None if it was not begun here, or is finished."""
        return self._open.get(message)

    def drop(self, message: MessageId) -> None:
        """A message is like any other from now on."""
        self._open.pop(message, None)


class Streams:
    """Writes streams in one session."""

    def __init__(
        self, web: Web, showing: Showing, growing: Growing, agents: Agents, team_of: Callable[[str], Awaitable[str]]
    ) -> None:
        """`team_of` gives the workspace of a user: in channels that several share it need not be ours."""
        self._web = web
        self._showing = showing
        self._growing = growing
        self._agents = agents
        self._team_of = team_of

    async def begin(self, target: Target, markdown: str) -> MessageId | None:
        """Begin a stream; None where there are none. It is not tried again: a repeat would begin another."""
        if self._growing.lifetime(target) is None:
            return None
        place, text = where(target), certain(markdown)
        user = bare(target.user) if target.user is not None else None
        try:
            begun = await self._web.write(
                "chat.startStream",
                repeats=0,
                channel=place.channel,
                thread_ts=place.root,
                recipient_user_id=user,
                recipient_team_id=await self._team_of(user) if user is not None else None,
                markdown_text=text or None,
            )
        except (Gone, Refused) as failure:
            log.info("no stream could be begun", extra={"detail": failure.detail})
            if isinstance(failure, Refused):
                self._growing.refuse(place, failure)
            return None
        message = message_id(place.channel, told(begun, "ts"))
        self._growing.put(message, _Stream(text))
        self._agents.begun(place)
        return message

    def posted(self, message: MessageId) -> None:
        """A message was posted instead of begun."""
        self._growing.put(message, _Stream(plain=True))

    async def extend(self, target: Target, message: MessageId, markdown: str) -> None:
        """Write what is new. Raises `Refused` if it can grow no further."""
        stream = self._growing.of(message)
        if stream is None or stream.plain:
            return await self._showing.edit(target, message, markdown, buttons=())
        text = certain(markdown)
        if stream.over or stream.unsure or not text.startswith(stream.shown):
            raise Refused("Slack: this stream cannot grow")
        if text == stream.shown:
            return None
        # Not taken back where the outcome stays unknown, as when it is cancelled: a piece may be written once, or not at all.
        stream.unsure = True
        try:
            piece = text[len(stream.shown) :]
            await self._web.write("chat.appendStream", repeats=0, **self._named(target, message), markdown_text=piece)
        except RateLimited:
            stream.unsure = False
            raise
        except Gone:
            self._growing.drop(message)
            raise
        except Refused as refused:
            stream.over = code_of(refused) in _OVER
            raise
        stream.shown, stream.unsure = text, False
        return None

    async def finish(self, target: Target, message: MessageId, markdown: str, *, key: str, buttons: Sequence[Button]) -> None:
        """End it. What it shows is set right by an update, where it is not known or not what it should be."""
        stream = self._growing.of(message)
        try:
            if stream is None or not await self._ended(stream, target, message, markdown, key, buttons):
                if stream is None or not (stream.plain or stream.over):
                    await self._stop(target, message)
                await self._update(target, message, markdown, key=key, buttons=buttons)
        except Gone:
            self._growing.drop(message)
            raise
        self._growing.drop(message)
        self._agents.rested(where(target))

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button]) -> None:
        """Change a message; if it streams, its stream is ended first."""
        await self._update(target, message, markdown, key=None, buttons=buttons)
        self._growing.drop(message)

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message away; if it streams, its stream is ended first."""
        try:
            await self._showing.delete(target, message)
        except Refused as refused:
            if code_of(refused) not in _STREAMS or not await self._stop(target, message):
                raise
            await self._showing.delete(target, message)
        self._growing.drop(message)

    async def _ended(
        self, stream: _Stream, target: Target, message: MessageId, markdown: str, key: str, buttons: Sequence[Button]
    ) -> bool:
        """End a stream with the rest of its text. False if it does not show what it should; it may have to be stopped yet."""
        text = render(markdown)
        if stream.plain or stream.over or stream.unsure or not text.startswith(stream.shown):
            return False
        rest = text[len(stream.shown) :]
        try:
            # A repeat is harmless: it finds the stream ended.
            stopped = await self._web.write(
                "chat.stopStream",
                **self._named(target, message),
                markdown_text=rest or None,
                metadata=metadata(key),
                blocks=row(buttons) or None,
                session_status=self._agents.resting(where(target)),
            )
        except Refused as refused:
            stream.over = code_of(refused) in _OVER
            log.info("a stream did not end as it should", extra={"detail": refused.detail})
            return False
        stream.over = True
        self._agents.told(where(target))
        return bool(text.strip()) and not _lacks(stopped, text)

    async def _update(
        self, target: Target, message: MessageId, markdown: str, *, key: str | None, buttons: Sequence[Button]
    ) -> None:
        try:
            await self._showing.edit(target, message, markdown, buttons=buttons, key=key)
        except Refused as refused:
            if code_of(refused) not in _STREAMS or not await self._stop(target, message):
                raise
            await self._showing.edit(target, message, markdown, buttons=buttons, key=key)

    async def _stop(self, target: Target, message: MessageId) -> bool:
        """End a stream as it is; False if there was none."""
        try:
            await self._web.write("chat.stopStream", **self._named(target, message))
        except Forbidden:
            raise
        except Refused as refused:
            log.debug("no stream to end", extra={"detail": refused.detail})
            return False
        self._agents.rested(where(target))
        return True

    def _named(self, target: Target, message: MessageId) -> Json:
        return {"channel": place_of(target.channel.id).channel, "ts": ts_of(message)}


def _lacks(stopped: Json, text: str) -> bool:
    """Whether the message that came with the answer shows less than it should.

    Slack tells its text in its own markup, with links turned round and headings gone; letters and digits stay. Some answers have
    no message (docs.slack.dev, chat.stopStream, names one).
    """
    given: object = stopped.get("message")
    said = cast("Json", given).get("text") if isinstance(given, dict) else None
    return bool(said) and bool(_letters(html.unescape(plain(text))) - _letters(html.unescape(str(said))))


def _letters(text: str) -> Counter[str]:
    return Counter(sign for sign in text if sign.isalnum())
