"""What comes in from Slack: every payload becomes events of the seam, which are stored before it is acknowledged."""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bots.slack.agents import Agents
from bots.slack.calls import Json, Web
from bots.slack.config import SlackConfig
from bots.slack.convert import WRITTEN, Converter
from bots.slack.interactions import Interactions
from bots.slack.known import Known
from bots.slack.lanes import Lanes
from bots.slack.names import NAME, author_id, channel_id, message_id, order
from bots.slack.quiet import quiet
from bots.slack.spawning import spawn
from shared.chat import Author, ChannelId, Command, Connected, Deleted, Deliver, Edited, Event, Left, Target

log = logging.getLogger(__name__)

ACK_SECONDS = 2.0
"""How long a command or press may wait to be stored before it is acknowledged all the same: Slack gives 3 seconds and does not
send them again (docs.slack.dev, Handling user interaction: Acknowledgment response)."""

HOOK_SECONDS = 2.8
"""After how long what was posted and is not stored yet is put off: Slack sends it again (docs.slack.dev, Events API: Retries)."""

OUTAGE = 2
"""Which repetition of something tells that Slack has not reached us for a minute or more: then it may have given up other things
(docs.slack.dev, Events API: Retries: nearly at once, after 1 minute and after 5)."""

SILENCE = timedelta(seconds=30)
"""A silence of Slack's in which it may have been unable to reach us."""

POSTED = 10_000
"""How many of the events that were posted are remembered."""

_TIME, _SIGNATURE = re.compile(r"[0-9]{1,12}"), re.compile(r"v0=[0-9a-f]{64}")

_LEFT = frozenset({"channel_left", "group_left", "channel_archive", "group_archive", "channel_deleted", "group_deleted"})
_REVOKED = frozenset({"app_uninstalled", "tokens_revoked"})


class Gateway:
    """Takes the payloads of one session."""

    def __init__(
        self,
        config: SlackConfig,
        api: Web,
        *,
        tasks: asyncio.TaskGroup,
        deliver: Deliver,
        converter: Converter,
        known: Known,
        interactions: Interactions,
        agents: Agents,
        echoed: Callable[[], None],
        shared: Callable[[Json], None],
        survey: Callable[[], Awaitable[None]],
        lacking: Callable[[datetime], None],
    ) -> None:
        """`echoed` is called when Slack tells of something of ours, `shared` with each message of ours that has files.

        `survey` is awaited before each session is announced, and takes no longer than a session may wait. `lacking` is called
        with a time from which on something may not have been heard, though later things were.
        """
        self._config = config
        self._web = api
        self._tasks = tasks
        self._deliver = deliver
        self._converter = converter
        self._known = known
        self._interactions = interactions
        self._agents = agents
        self._echoed = echoed
        self._shared = shared
        self._survey = survey
        self._lacking = lacking
        self._lanes = Lanes(tasks, deliver, config.settle)
        self._sessions = 0
        self._posted: OrderedDict[str, None] = OrderedDict()
        self._heard_at = self._silent_from = interactions.now()
        """When Slack reached us last, and when it did before the last longer silence."""
        self._whole_at: float | None = None
        """When Slack is taken to leave out nothing any more, by the loop's time; None while it does not."""
        self.announced = False
        """Whether the session has been announced."""
        self._app = self._bolt()

    def _bolt(self) -> AsyncApp:
        """The library's app. All that it has to do is done in one middleware, before it would answer Slack."""

        async def stored(req: AsyncBoltRequest, body: Json) -> BoltResponse:
            self._reached(req, str(body.get("event_id") or ""), body.get("event_time"))
            if body.get("type") == "url_verification":  # docs.slack.dev, url_verification event
                return BoltResponse(status=200, body=str(body.get("challenge") or ""))
            return BoltResponse(status=200 if await self._take(body) else 503, body="")

        app: Any = AsyncApp
        made = app(
            name="bots.slack",
            logger=quiet(),
            client=self._web.client,
            # Checked for what comes over HTTP, with the five minutes in which it is good (slack_sdk, signature).
            signing_secret=self._config.signing_secret,
            before_authorize=stored,
            # Our own messages are heard, too: they move the mark of their channel.
            ignoring_self_events_enabled=False,
        )
        return cast("AsyncApp", made)

    async def take(self, payload: Json) -> bool:
        """Take a payload; whether it may be acknowledged."""
        return (await self._dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))).status == 200

    async def hook(self, request: web.Request) -> web.Response:
        """Take what Slack posted; the answer to it. What is not signed by Slack, or too old, is refused with 401."""
        try:
            body = (await request.read()).decode()
        except UnicodeDecodeError:
            return web.Response(status=400)
        # Before anything is read that strangers can have written: the library reads the body first.
        if not self._signed(body, request):
            return web.Response(status=401)
        try:
            given = AsyncBoltRequest(body=body, query=request.query_string, headers=dict(request.headers))
        except Exception as error:
            # Whatever the library raises for a body that is no event of Slack's.
            log.warning("what Slack posted cannot be read", extra={"detail": type(error).__name__})
            return web.Response(status=400)
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                response = await self._dispatch(given)
        except TimeoutError:
            return web.Response(status=503)
        return web.Response(status=response.status, text=str(response.body or ""))

    def _signed(self, body: str, request: web.Request) -> bool:
        """Whether Slack has signed it just now (docs.slack.dev, Verifying requests from Slack)."""
        at, signature = (request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature"))
        # The library raises for numbers that are none, or too long, and for signs that are not ASCII (slack_sdk, signature).
        if not _TIME.fullmatch(at) or not _SIGNATURE.fullmatch(signature):
            return False
        return SignatureVerifier(self._config.signing_secret).is_valid(body, at, signature)

    def _reached(self, request: AsyncBoltRequest, event: str, at: object) -> None:
        """Begin a new session where Slack could not reach us for a while: what it gave up meanwhile is read in the history.

        That may be older than what was heard since Slack reaches us again.
        """
        now = self._interactions.now()
        if now - self._heard_at > SILENCE:
            self._silent_from = self._heard_at
        self._heard_at = now
        tries = request.headers.get("x-slack-retry-num") or ["0"]
        late = tries[0].isdigit() and int(tries[0]) >= OUTAGE
        if not event or request.mode != "http":
            return
        known = event in self._posted  # then it reached us, and was put off
        self._posted[event] = None
        if len(self._posted) > POSTED:
            self._posted.popitem(last=False)
        if late and not known and self.announced:
            log.info("Slack could not reach us for a while; looking for what was missed")
            self._lacking(min(_time(at) or now, self._silent_from))
            self.up()

    async def _dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        app: Any = self._app
        return await app.async_dispatch(request)

    # sessions

    def up(self) -> None:
        """There is a connection after there was none: a new session."""
        self._sessions += 1
        self.announced = False
        self._lanes.pause()
        spawn(self._tasks, self._announce(self._sessions), "slack session")

    async def _announce(self, session: int) -> None:
        await self._survey()
        await self._deliver(Connected())
        if session == self._sessions:
            self.announced = True
            self._lanes.resume()

    def _left_out(self, minute: object) -> None:
        """Slack leaves out events from a minute on, since there are too many (docs.slack.dev, app_rate_limited event)."""
        log.warning("Slack leaves out events: there are too many of them")
        self._lacking(_time(minute) or self._interactions.now())
        waiting = self._whole_at is not None
        self._whole_at = asyncio.get_running_loop().time() + self._config.left_out_wait
        if not waiting:
            spawn(self._tasks, self._whole_again(), "slack left out")

    async def _whole_again(self) -> None:
        """Once it has said nothing of that for a while, what it left out is read in the histories."""
        loop = asyncio.get_running_loop()
        left = self._config.left_out_wait
        while left > 0:
            await asyncio.sleep(left)
            left = (self._whole_at or 0.0) - loop.time()
        self._whole_at = None
        self.up()

    # payloads

    async def _take(self, body: Json) -> bool:
        if body.get("type") == "event_callback":
            event = body.get("event")
            told = cast("Json", event) if isinstance(event, dict) else {}
            return await self._event(told, str(body.get("event_id") or f"{told.get('type')}/{told.get('event_ts')}"))
        if body.get("type") == "app_rate_limited":
            self._left_out(body.get("minute_rate_limited"))
            return True
        found = self._interactions.read(body)
        if found is None:
            return True
        taken = self._lanes.put(found.channel, found.key, found.order, found.make)
        await asyncio.wait((taken,), timeout=ACK_SECONDS)
        return True

    async def _event(self, event: Json, number: str) -> bool:
        kind, channel = event.get("type"), event.get("channel")
        if kind in _REVOKED:
            self._web.revoked.set()
            return True
        if not isinstance(channel, str):
            return True
        if kind in ("message", "app_mention"):
            return await self._message(event, channel, number)
        if kind in _LEFT or (kind == "member_left_channel" and event.get("user") == self._converter.me):
            return await self._put(channel, number, event, _just(Left(channel=channel_id(channel))))
        if kind == "agent_session_stopped" and event.get("thread_ts"):
            return await self._put(channel, number, event, _just(self._stopped(event, channel, number)))
        if kind == "app_home_opened" and event.get("tab") == "messages":
            self._agents.opened(channel)
        return True

    async def _message(self, event: Json, channel: str, number: str) -> bool:
        subtype = event.get("subtype")
        if subtype == "message_changed":
            if not self._converter.by_person(_dict(event.get("message"))) and not _tombstone(event):
                return True  # our own edits, many of them
            return await self._put(channel, number, event, lambda: self._changed(event, channel))
        if subtype == "message_deleted":
            gone = Deleted(channel=self._place_of(event, channel), message=message_id(channel, str(event.get("deleted_ts"))))
            return await self._put(channel, number, event, _just(gone))
        if subtype not in WRITTEN:
            return True
        if self._converter.by_us(event):
            self._echoed()
            if event.get("files"):
                self._shared(event)
        key = f"{channel}/{event.get('ts')}"
        # A mention leaves out the subtype, and the kind of the channel.
        whole = event.get("type") == "message"
        return await self._put(channel, key, event, lambda: self._said(event, channel), whole=whole)

    async def _put(
        self, channel: str, key: str, event: Json, make: Callable[[], Awaitable[Sequence[Event]]], *, whole: bool = True
    ) -> bool:
        at = order(str(event.get("event_ts") or event.get("ts") or ""))
        return await asyncio.shield(self._lanes.put(channel, key, at, make, whole=whole))

    # what they mean

    async def _said(self, event: Json, channel: str) -> Sequence[Event]:
        raw = await self._known.whole(event)
        around = await self._known.around(self._converter, raw, channel)
        message = self._converter.message(raw, channel, around)
        return () if message is None else (message,)

    async def _changed(self, event: Json, channel: str) -> Sequence[Event]:
        """A change, if a person made it: previews of links come in the same way, and answers to a thread did."""
        raw, before = _dict(event.get("message")), _dict(event.get("previous_message"))
        if _tombstone(event):
            # A thread's first message that was deleted (docs.slack.dev, Message event).
            return (Deleted(channel=channel_id(channel), message=message_id(channel, str(raw.get("ts")))),)
        edited = _dict(raw.get("edited"))
        if not self._converter.by_person(raw) or not edited or _content(raw) == _content(before):
            return ()
        raw = await self._known.whole(raw)
        message = self._converter.message(raw, channel, await self._known.around(self._converter, raw, channel))
        if message is None:
            return ()
        # The time of the edit has whole seconds only; that of the event is its own.
        return (Edited(keys=(f"{message.id}/edit/{event.get('event_ts') or event.get('ts')}",), message=message),)

    def _place_of(self, event: Json, channel: str) -> ChannelId:
        previous = _dict(event.get("previous_message"))
        root = previous.get("thread_ts")
        return channel_id(channel, str(root) if root and root != previous.get("ts") else None)

    def _stopped(self, event: Json, channel: str, number: str) -> Command:
        """Slack's own Stop button, which it shows while an agent works (docs.slack.dev, agent_session_stopped event).

        It stops the stream that people see by itself, so there is nothing to be said about it.
        """
        user = str(event.get("user") or "somebody")
        where = self._converter.place(channel, str(event["thread_ts"]))
        self._agents.stopped(channel, str(event["thread_ts"]))
        return Command(
            keys=(f"{NAME}:{number}",),
            target=Target(channel=where, user=author_id(user), private=True),
            author=Author(id=author_id(user), name=user),
            sent_at=self._interactions.now(),
            name="stop",
            quiet=True,
        )


def _just(event: Event) -> Callable[[], Awaitable[Sequence[Event]]]:
    async def made() -> Sequence[Event]:
        return (event,)

    return made


def _time(seconds: object) -> datetime | None:
    """The time of whole seconds since 1970; None for what is none."""
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < 1 << 33 else None


def _tombstone(event: Json) -> bool:
    return _dict(event.get("message")).get("subtype") == "tombstone"


def _content(raw: Json) -> tuple[object, object]:
    files = cast("Sequence[object]", raw.get("files") or ())
    return raw.get("text"), [_dict(each).get("id") for each in files]


def _dict(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
