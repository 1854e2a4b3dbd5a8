"""What the stand-in is going to do about one prompt. Pure: the same prompt, the same plan."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.backends import Prompt, Stop
from shared.backends.demo.arithmetic import solve
from shared.backends.demo.memory import line_of, named, recall, words_of
from shared.backends.demo.replies import FAILURES, HALF, HELP, INTRODUCTION, fallback, sample
from shared.errors import (
    BadKey,
    BrokenOff,
    Failure,
    Invalid,
    OutOfQuota,
    Overloaded,
    RateLimited,
    Silent,
    TookTooLong,
    TooLarge,
    Unavailable,
    UnknownModel,
)

SLOW_SECONDS = 12.0
THINK_SECONDS = 6.0
RETRY_SECONDS = 2.0
RATE_LIMIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One answer: a wait, then the text, then its end.

    `seconds` is how long the whole text takes (None: the usual pace), `think` how long nothing but thinking comes before it.
    `failure` is raised after the text, `silent` means that nothing comes after it, not even an end.
    """

    text: str = ""
    seconds: float | None = None
    think: float = 0.0
    retry: float | None = None
    failure: Failure | None = None
    silent: bool = False
    stop: Stop = "end"
    explanation: str | None = None


_DETAIL = "asked of the demo backend"
_KINDS: tuple[tuple[str, Callable[[], Failure]], ...] = (
    (r"overload(?:ed)?", lambda: Overloaded(_DETAIL)),
    (r"rate ?limit(?:ed|s)?|429", lambda: RateLimited(_DETAIL, RATE_LIMIT_SECONDS)),
    (r"(?:bad|wrong|invalid) key|401", lambda: BadKey(_DETAIL)),
    (r"quota|credit", lambda: OutOfQuota(_DETAIL)),
    (r"br(?:oken?|eak) off|cut off", lambda: BrokenOff(_DETAIL)),
    (r"silent|silence", lambda: Silent(_DETAIL)),
    (r"(?:too|took too) long|time ?out", lambda: TookTooLong(_DETAIL)),
    (r"(?:unknown|no such|wrong) model", lambda: UnknownModel(_DETAIL)),
    (r"too (?:large|big)", lambda: TooLarge(_DETAIL)),
    (r"unavailable|down|5\d\d", lambda: Unavailable(_DETAIL)),
    (r"invalid|bad request|400", lambda: Invalid(_DETAIL)),
)
_STOPS: tuple[tuple[str, Stop, str | None], ...] = (
    (r"refus(?:e|es|al)|decline", "refusal", "The stand-in was asked to refuse, and does."),
    (r"max(?:imum)? ?tokens|token limit", "max_tokens", None),
    (r"context(?: is)? full|full context", "context_full", None),
)
_MIDWAY = re.compile(r"\b(?:midway|half ?way|in the middle|later)\b")


def plan_of(prompt: Prompt) -> Plan:
    """Decide what to answer to the last line that was asked."""
    asked = line_of(prompt.ask[-1])
    plan = _understood(prompt, asked.text)
    if plan is None and asked.speaker is not None:
        # "Fail: quota" in a direct chat only looks like a person called Fail.
        plan = _understood(prompt, f"{asked.speaker}: {asked.text}")
    if plan is None:
        plan = Plan(fallback(prompt, asked.text))
    # What people wrote is quoted, and may hold lone surrogates: no UTF-8 could carry those on.
    text = plan.text.encode(errors="replace").decode()
    first = not any(said.role == "assistant" for said in prompt.history)
    if first and text and text != INTRODUCTION:
        text = f"{INTRODUCTION}\n\n{text}"
    return replace(plan, text=text)


def _understood(prompt: Prompt, asked: str) -> Plan | None:
    words = words_of(asked)
    special = _special(words)
    if special is not None:
        return special
    text = _text(prompt, asked, words)
    return None if text is None else _timing(words, Plan(text))


def _special(words: str) -> Plan | None:
    text = HALF if _MIDWAY.search(words) else ""
    if re.search(r"\bfail(?:s|ed|ing|ure)?\b", words):
        return _failing(words, text)
    if re.fullmatch(r"(?:please |be |stay |keep )*(?:silent|silence)(?: please| now| midway| half ?way)*", words):
        return Plan(text, silent=True)
    return None


def _failing(words: str, text: str) -> Plan | None:
    for pattern, stop, explanation in _STOPS:
        if re.search(rf"\b(?:{pattern})\b", words):
            return Plan(text, stop=stop, explanation=explanation)
    for pattern, failure in _KINDS:
        if re.search(rf"\b(?:{pattern})\b", words):
            return Plan(text, failure=failure())
    return Plan(FAILURES) if words.startswith("fail") else None


def _timing(words: str, plan: Plan) -> Plan:
    if re.search(r"\bslow(?:ly)?\b", words):
        plan = replace(plan, seconds=SLOW_SECONDS)
    if re.search(r"\bthink(?:ing)?\b", words) and not re.search(r"\byou think\b", words):
        plan = replace(plan, think=THINK_SECONDS)
    if re.search(r"\bretry(?:ing)?\b", words):
        plan = replace(plan, retry=RETRY_SECONDS)
    return plan


def _text(prompt: Prompt, asked: str, words: str) -> str | None:
    if re.search(r"^(?:please )?help\b|\bhelp$|\bwhat can (?:you|i) (?:do|ask)\b|\bcommands\b", words):
        return HELP
    if re.search(
        r"\bwho (?:are|is) (?:you|this)\b|\bwhat are you\b|\bare you (?:claude|real|a bot|human|an? ai)\b|\byour name\b", words
    ):
        return INTRODUCTION
    remembered = recall(prompt)
    if remembered is not None:
        return _without_introduction(remembered)
    name = named(asked)
    if name is not None:
        return f"Hello {name}. I shall remember your name as long as this conversation lasts."
    return solve(asked) or sample(words)


def _without_introduction(text: str) -> str:
    # A repeated first answer would introduce the stand-in twice.
    return text.removeprefix(f"{INTRODUCTION}\n\n")
