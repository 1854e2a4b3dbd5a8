"""What all endpoints of one simulator share: the account's state, its log, its scripts, its faults."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.calls import Call
from sandbox.claude.logbook import Logbook
from sandbox.claude.player import Player

from .config import FIVE_HOURS, Config
from .errors import Refused, quota_refusal, refuse
from .model import Conversation, JsonObject, Message, StoredFile, stamp
from .plan import Plan
from .script import Script, Scripts, Stored


@dataclass(slots=True)
class Quota:
    """How many completions the account still has (None: no end), until when (Unix seconds), and the 429's Retry-After."""

    remaining: int | None
    resets_at: float
    retry_after: bool = True


@dataclass(slots=True)
class Answer:
    """An answer that is being made. `retry`: its human message was there before; `made`: its conversation was not."""

    conversation: Conversation
    plan: Plan
    human: str
    retry: bool
    made: bool
    begun: float
    """Time of the loop's clock."""
    sent: int = 0
    """Text deltas sent."""
    finished: bool = False
    """Whether its stream came to the regular end."""
    settled: bool = False
    """Whether the conversation has got what it keeps of it."""
    player: Player | None = None


class Service(Logbook):
    """The state of one simulator."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.journal, config.seed, config.keep_bodies)
        self.config = config
        self.scripts = Scripts(config.script)
        self.organizations = {each.uuid: each for each in config.organizations}
        self.conversations: dict[str, Conversation] = {}
        self.files: dict[str, StoredFile] = {}
        self.sandboxes: dict[tuple[str, str], StoredFile] = {}
        self.styles: dict[str, dict[str, JsonObject]] = {uuid: {} for uuid in self.organizations}
        self.settings: JsonObject = {}
        self.session_key = config.session_key
        self.session_refusal: int | None = None
        """The status that refuses every session cookie; None while the good one is taken."""
        self.edge_blocks = False
        """Whether the edge answers everything with its bot check."""
        self.quota = Quota(config.messages, config.clock() + FIVE_HOURS)
        self.running: list[Answer] = []
        self._timers: set[asyncio.TimerHandle] = set()

    def now(self) -> float:
        """The time in Unix seconds."""
        return self.config.clock()

    def begin(self, request: web.Request) -> Call:
        """Log a call that has just arrived. The session key is not kept."""
        call = super().begin(request)
        call.notes["cookies"] = sorted(request.cookies)
        call.notes["user_agent"] = request.headers.get("user-agent", "")
        return call

    def applied(self, call: Call) -> None:
        """Log that a call has taken effect."""
        call.applied_mono = self.monotonic()
        self.changes.notify()

    def conversation(self, organization: str, uuid: str) -> Conversation:
        """Find a conversation of an organisation. Raises `Refused` 404 (claude-webapi)."""
        found = self.conversations.get(uuid)
        if found is None or found.organization != organization:
            raise refuse(404, f"Conversation {uuid} not found")
        return found

    def spend(self) -> None:
        """Take one completion from the quota. Raises `Refused` 429 when there is none left."""
        quota = self.quota
        if self.now() >= quota.resets_at:
            quota.remaining, quota.resets_at = self.config.messages, self.now() + FIVE_HOURS
        if quota.remaining is None:
            return
        if quota.remaining <= 0:
            wait = max(0, round(quota.resets_at - self.now()))
            raise Refused(quota_refusal(int(quota.resets_at), wait if quota.retry_after else None))
        quota.remaining -= 1

    def limit(self, script: Script) -> JsonObject:
        """Build the content of a message_limit event (captures)."""
        kind = script.limit or "within_limit"
        over = kind not in ("within_limit", "approaching_limit")
        used = 1.0 if over else self._utilization()
        window = {"status": "over_limit" if over else kind, "resets_at": int(self.quota.resets_at), "utilization": used}
        return {
            "type": kind,
            "resetsAt": int(self.quota.resets_at) if over else None,
            "remaining": self.quota.remaining,
            "perModelLimit": None,
            "representativeClaim": "five_hour",
            "overageDisabledReason": "overage_not_provisioned",
            "overageInUse": False,
            "windows": {"5h": window} if script.windows is None else dict[str, Any](script.windows),
        }

    def usage(self) -> JsonObject:
        """Build what GET usage answers: per cent used of each window (captures)."""
        window = {"utilization": round(self._utilization() * 100, 1), "resets_at": stamp(self.quota.resets_at)}
        return {"five_hour": window, "seven_day": {"utilization": 1.0, "resets_at": stamp(self.quota.resets_at)}}

    def _utilization(self) -> float:
        if self.quota.remaining is None or not self.config.messages:
            return 1.0 if self.quota.remaining == 0 else 0.01
        return max(0.0, 1 - self.quota.remaining / self.config.messages)

    def settle(self, answer: Answer, stored: Stored) -> None:
        """Put into the conversation what it keeps of an answer. Only the first time counts."""
        if answer.settled:
            return
        answer.settled = True
        if answer in self.running:
            self.running.remove(answer)
        conversation, plan = answer.conversation, answer.plan
        if self.conversations.get(conversation.uuid) is conversation:
            if stored == "whole":
                self._add(answer, plan.blocks(), plan.script.stop)
                self._leave_files(answer)
            elif stored == "partial" and answer.sent:
                self._add(answer, plan.blocks(answer.sent), "user_canceled")
            elif stored == "nothing" and not answer.retry and answer.human in conversation.messages:
                conversation.forget(answer.human)
                if answer.made and not conversation.messages:
                    del self.conversations[conversation.uuid]
        self.changes.notify()

    def finish(self, answer: Answer) -> None:
        """Settle an answer whose stream comes to its regular end: now, or as late as its script says."""
        answer.finished = True
        if answer.plan.script.lag:
            self.running.remove(answer)
            self.later(answer.plan.script.lag, lambda: self.settle(answer, "whole"))
        else:
            self.settle(answer, "whole")

    def settle_later(self, answer: Answer, stored: Stored) -> None:
        """Settle a broken answer: at once, or, for a whole one, when it would have come to its end."""
        if answer.finished:
            return
        left = answer.begun + answer.plan.duration - asyncio.get_running_loop().time()
        if stored == "whole" and left > 0:
            self.later(left, lambda: self.settle(answer, stored))
        else:
            self.settle(answer, stored)

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Do something after `delay` seconds, unless the simulator has been closed."""

        def act() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(delay, act)
        self._timers.add(timer)

    def close(self) -> None:
        """Let go of what is still to come, and of the journal."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.calls.close()

    def _add(self, answer: Answer, blocks: list[JsonObject], stop: str) -> None:
        conversation, head = answer.conversation, answer.plan.head
        index = next_index(conversation)
        conversation.add(Message(head.uuid, head.parent, "assistant", index, self.now(), blocks, stop))

    def _leave_files(self, answer: Answer) -> None:
        for number, (name, text) in enumerate(answer.plan.script.files.items()):
            uuid = f"f11e0000-0000-4000-8000-{answer.plan.head.number:08x}{number:04x}"
            made = StoredFile(uuid, name, "text/plain", text.encode(), self.now())
            self.sandboxes[answer.conversation.uuid, f"/mnt/user-data/outputs/{name}"] = made


def next_index(conversation: Conversation) -> int:
    """The index of the next message: the order of creation over all branches (captures)."""
    return max((message.index for message in conversation.messages.values()), default=-1) + 1
