"""What commands answer, as Markdown. Pure: whoever calls has read what there is to tell.

Names, titles and texts of people are hostile; they come in code spans and code blocks only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import errors, sentences
from shared.chat import Channel
from shared.commands import COMMANDS, DEFAULT, SCOPES, Option, Scope
from shared.harmless import code, fenced
from shared.scopes import Chosen, Won
from shared.sentences import command
from shared.store import Budget, Spending, Talk, Told

WORD: Mapping[str, str] = {"model": "model", "effort": "effort", "system": "instructions"}
"""How a choice is called."""

UNSET: Mapping[str, str] = {"model": "the backend's own", "effort": "the model's own", "system": "none"}
"""What is shown where nothing was chosen and nothing is set."""

_CLOSED = {
    "new": f"closed with {command('new')}",
    "left": "closed, since I could not stay",
    "idle": "closed, since nobody wrote",
    "resumed": "closed for another one",
}
_HEARD: Mapping[str, str] = {
    "direct": "Here I take every message that is not a bot's.",
    "group": "Here I take messages that mention me or reply to me. Others, and those of bots, I leave alone.",
    "thread": "Here I take messages that mention me or reply to me, and every one if I opened this thread; none of bots.",
}
_DECIDED: Mapping[str, str] = {
    "joined": "It was taken together with the message before it.",
    "queue_full": "It was not taken: too many questions waited. Ask again.",
    "too_fast": "It was not taken: too many messages came within a minute. Wait a moment, then ask again.",
    "over_limit": f"It was not taken: a limit for this month is used up. {command('usage')} shows which.",
    "edited": "It was a change of a message, and I took it over.",
    "deleted": "A message was deleted, and I have forgotten it.",
    "not_allowed": "It was not answered: I may not answer this person here. The person who runs this bot can change that.",
    "unreadable": "It was not answered: I can only read messages here that mention me. Mention me.",
    "empty": "It was not answered: it had no text. Write a question.",
    "too_old": "It was not answered: I was away, and it was too old when I came back. Ask again if it still matters.",
}
_CAME: Mapping[str, str] = {
    "queued": f"It waits for its turn. {command('stop')} takes it back.",
    "running": f"It is being answered. {command('stop')} ends that.",
    "stopping": "Its answer is being stopped.",
    "answered": "Its answer is ready and is being shown.",
    "done": "It was answered.",
    "stopped": f"Its answer was stopped. {command('retry')} answers it again.",
    "failed": f"It was not answered. {command('retry')} tries it again.",
}
_LACKED: Mapping[str, str] = {
    "Crashed": sentences.CRASHED,
    "Fault": sentences.FAULT,
    "RateLimited": f"Claude took no more requests from us. {command('retry')} asks again.",
}
_ENDED: Mapping[str, str] = {
    "refusal": "The model declined to answer it. Ask differently.",
    "max_tokens": "Its answer reached its length limit. The button Continue, or a message, goes on with it.",
    "context_full": sentences.CONTEXT_FULL,
}


def origin(scope: Won) -> str:
    """Where a value comes from, in words."""
    return "as this bot is set up" if scope == "default" else f"chosen for {sentences.SCOPE[scope]}"


@dataclass(frozen=True, slots=True)
class Named:
    """A value as people are to read it, in one line."""

    chosen: Chosen
    shown: str

    def __str__(self) -> str:
        return f"{self.shown}, {origin(self.chosen.scope)}"


def holds(name: str, now: Named, options: Sequence[str]) -> str:
    """What holds for a choice, and what there is to choose from."""
    line = f"The {WORD[name]} here: {now}."
    return f"{line}\nYou can choose {', '.join(options)} or `{DEFAULT}`." if options else line


def chose(name: str, scope: Scope, shown: str | None, now: Named) -> str:
    """A choice was made for a scope, or taken back (`shown` is None); `now` is what holds here after it."""
    if shown is None:
        return f"The {WORD[name]} for {sentences.SCOPE[scope]}: taken back. What holds here now: {now}."
    line = f"The {WORD[name]} for {sentences.SCOPE[scope]}: {shown}."
    return line if now.chosen.scope == scope else f"{line} What holds here: {now}."


def no_model(named: str, models: Sequence[str]) -> str:
    """There is no such model."""
    return f"There is no model {code(named)} for me. There are {', '.join(models)}; {command('model')} shows which one holds."


def no_effort(named: str, levels: Sequence[str]) -> str:
    """There is no such level."""
    return f"There is no effort {code(named)}. There are {', '.join(levels)} and `{DEFAULT}`."


def no_scope(named: str) -> str:
    """There is no such scope."""
    return f"Nothing can be chosen for {code(named)}. There are {', '.join(f'`{scope}`' for scope in SCOPES)}."


def instructions(now: Chosen) -> str:
    """The instructions that hold."""
    if not now.value:
        return f"There are no further instructions here. Write them after {command('system')}."
    back = f"{command('system')} {DEFAULT}" if now.scope == "conversation" else f"{command('system')} {DEFAULT} for:{now.scope}"
    return f"The instructions here, {origin(now.scope)}:\n{fenced(now.value)}\nWrite `{back}` to take them back."


def instructed(scope: Scope, text: str, now: Chosen) -> str:
    """Instructions were set."""
    line = f"The instructions for {sentences.SCOPE[scope]}, from the next answer on:\n{fenced(text)}"
    return line if now.scope == scope else f"{line}\nHere others hold, {origin(now.scope)}."


def listed(talks: Sequence[Talk], now: datetime, *, here: Channel) -> str:
    """The conversations of a place."""
    if not talks:
        return "There are no conversations here yet. Ask me something to start one."
    lines = [_talk(talk, now, here) for talk in talks]
    return "\n".join([f"The conversations here; {command('resume')} and a number goes on with one:", *lines])


def short(talk: Talk) -> str:
    """The number by which people name a conversation."""
    return talk.id.hex[:8]


def title(talk: Talk) -> str:
    """How a conversation is called, on one line, harmless."""
    return code(talk.title)


def resumed(talk: Talk, *, here: Channel) -> str:
    """A conversation goes on."""
    where = "" if talk.channel.id == here.id else " Go on where it was."
    return f"The conversation {title(talk)} goes on.{where}"


def why(told: Sequence[Told], now: datetime, place: Channel, *, names: bool) -> str:
    """What became of the last messages; `names` says whose they were."""
    heard = _HEARD[place.kind]
    if not told:
        return f"I have taken no message of yours here in the last days. {heard}"
    lines = [
        f"- {sentences.ago((now - each.at).total_seconds())}{_whose(each) if names else ''}: {became(each)}" for each in told
    ]
    return "\n".join(["What became of the last messages here:", *lines, heard])


def became(told: Told) -> str:
    """What became of a message, and what one can do."""
    if told.decision != "queued" and (told.decision in _DECIDED or told.state is None):
        return _DECIDED.get(told.decision, "It was not taken.")
    if told.failure:
        return f"It was not answered. {_failure(told.failure)}"
    if told.state in ("done", "failed") and told.stop and told.stop in _ENDED:
        return _ENDED[told.stop]
    return _CAME.get(told.state or "", "It was taken.")


def usage(now: datetime, resets: datetime, lines: Iterable[tuple[str, Spending, Sequence[Budget]]]) -> str:
    """What was used this month: by whom, how much, and of which limits."""
    begun = [f"Used in {sentences.month(now)}; a new month begins on {sentences.day(resets)}:"]
    return "\n".join(begun + [_used(who, spent, budgets) for who, spent, budgets in lines])


def settings(choices: Mapping[str, Named], idle: tuple[timedelta | None, Scope], told: Sequence[tuple[str, str, bool]]) -> str:
    """Every setting that people may know, with the scope that it comes from."""
    lines = [f"- {WORD[name]}: {choices[name]}" for name in WORD if name in choices]
    time, scope = idle
    closes = "never" if time is None else f"after {sentences.length(time)} without a message"
    lines.append(f"- a conversation is closed: {closes}, set for {sentences.SCOPE[scope]}")
    lines += [f"- `{name}`: {code(value)}, {'set by the operator' if chosen else 'the default'}" for name, value, chosen in told]
    change = f"{command('model')}, {command('effort')} and {command('system')} change the first three"
    return "\n".join(["What holds here:", *lines, f"{change}; {command('usage')} shows the limits."])


def help_(place: Channel) -> str:
    """What people can do."""
    talk = {
        "direct": "Write to me; every message is for me.",
        "group": "Mention me with a question, or reply to one of my messages. Commands written as text need the mention, too.",
        "thread": "Write in my thread; elsewhere mention me, or reply to one of my messages.",
    }[place.kind]
    files = "You can attach pictures, PDFs and texts. Edit your last question to have it answered again."
    lines = [f"- `{' '.join((command(spec.name), *map(_option, spec.options)))}`: {spec.description}" for spec in COMMANDS]
    return "\n".join([talk, files, *lines])


def _option(option: Option) -> str:
    return f"<{option.name}>" if option.required else f"[{option.name}]"


def _talk(talk: Talk, now: datetime, here: Channel) -> str:
    state = "open" if talk.closed_at is None else _CLOSED.get(talk.why or "", "closed")
    count = "1 question" if talk.turns == 1 else f"{talk.turns} questions"
    where = "" if talk.channel.id == here.id else ", in a thread"
    heard = sentences.ago((now - talk.heard_at).total_seconds())
    return f"- `{short(talk)}` {title(talk)}: {count}, {heard}, {state}{where}"


def _whose(told: Told) -> str:
    return f" ({code(told.author_id.partition(':')[2])})" if told.author_id else ""


def _failure(name: str) -> str:
    """The sentence for the class name of a failure."""
    if name in _LACKED:
        return _LACKED[name]
    kind = getattr(errors, name, errors.Failure)
    return sentences.failed(kind("") if kind is not errors.RateLimited else errors.Failure(""), kept=False)


def _used(who: str, spent: Spending, budgets: Sequence[Budget]) -> str:
    line = f"- {who}: {sentences.tokens(spent.tokens)}, {sentences.dollars(spent.cost)}"
    for budget in budgets:
        used = spent.tokens if budget.unit == "tokens" else spent.cost
        line += f"; {100 * used // budget.most} % of the {sentences.amount(budget.unit, budget.most)} that may be used"
    return line
