"""The commands that choose: the model, the effort, and further instructions, each for a scope."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from shared import answers, sentences
from shared.access import Access
from shared.answers import Named
from shared.backends import Model, Models
from shared.chat import Author, Channel, Command, Message
from shared.commands import DEFAULT, EFFORTS, SCOPES, Choice, Scope
from shared.errors import Failure, UnknownModel
from shared.harmless import code, flat
from shared.scopes import Choices, Chosen, key
from shared.store import Store, Taken

log = structlog.get_logger(__name__)

SYSTEM_MOST = 1500
"""Characters of instructions: shown back with a sentence they fit into one message of every platform."""

LISTED = 12
"""How many models are named in an answer."""

Given = Message | Command


class Choosing:
    """Shows and changes what people choose."""

    def __init__(self, store: Store, access: Mapping[str, Access], choices: Choices, models: Models | None) -> None:
        """`models` is the backend, if it knows its models."""
        self._store = store
        self._access = access
        self._choices = choices
        self._models = models

    async def model(self, platform: str, cause: Given, options: Mapping[str, str]) -> Taken:
        """Show the model that holds and those that there are, or choose one."""
        if self._models is None:
            return await self._tell(platform, cause, sentences.NO_MODELS)
        named = options.get("name", "").strip().strip("`")
        if not named:
            now = await self.held(platform, cause.place, "model")
            there = [code(model.id) for model in await self._models.models()]
            return await self._tell(platform, cause, answers.holds("model", now, there[:LISTED]))
        value = None
        if named.lower() != DEFAULT:
            try:
                await self._models.model(named)
            except UnknownModel:
                there = [code(model.id) for model in await self._models.models()]
                return await self._tell(platform, cause, answers.no_model(named, there[:LISTED]))
            except Failure as failure:
                log.warning("a model could not be looked up", detail=failure.detail)
                return await self._tell(platform, cause, sentences.failed(failure, kept=False))
            value = named
        return await self._choose(platform, cause, options, "model", value)

    async def effort(self, platform: str, cause: Given, options: Mapping[str, str]) -> Taken:
        """Show the effort that holds, or choose one."""
        level = options.get("level", "").strip().lower()
        levels = [f"`{each}`" for each in EFFORTS]
        if not level:
            now = await self.held(platform, cause.place, "effort")
            return await self._tell(platform, cause, answers.holds("effort", now, levels))
        if level not in (*EFFORTS, DEFAULT):
            return await self._tell(platform, cause, answers.no_effort(level, levels))
        return await self._choose(platform, cause, options, "effort", None if level == DEFAULT else level)

    async def system(self, platform: str, cause: Given, options: Mapping[str, str]) -> Taken:
        """Show the further instructions that hold, or set them."""
        text = options.get("text", "").strip()
        if not text:
            holds = await self._holds(platform, cause.place)
            return await self._tell(platform, cause, answers.instructions(holds.get("system", Chosen("", "default"))))
        if len(text) > SYSTEM_MOST:
            return await self._tell(platform, cause, sentences.SYSTEM_TOO_LONG)
        return await self._choose(platform, cause, options, "system", None if text.lower() == DEFAULT else text)

    async def held(self, platform: str, place: Channel, name: str) -> Named:
        """What holds for a choice in this place."""
        return await self._named(name, (await self._holds(platform, place)).get(name, Chosen("", "default")))

    async def all_held(self, platform: str, place: Channel) -> Mapping[str, Named]:
        """What holds for every choice in this place."""
        holds = await self._holds(platform, place)
        return {name: await self._named(name, holds.get(name, Chosen("", "default"))) for name in answers.WORD}

    async def complete(self, text: str) -> Sequence[Choice]:
        """The models that a name which somebody has begun to write may become."""
        if self._models is None:
            return []
        listed = [Choice(model.id, flat(model.name or model.id, 95)) for model in await self._models.models()]
        listed.append(Choice(DEFAULT, "default: as it is set up"))
        sought = text.strip().lower()
        return [each for each in listed if sought in each.value.lower() or sought in each.label.lower()]

    async def _choose(self, platform: str, cause: Given, options: Mapping[str, str], name: str, value: str | None) -> Taken:
        """Keep a choice for the scope that was asked for, or say why not."""
        place = cause.place
        conversation = await self._store.conversation(place.id)
        scope = _scope(options.get("for"), place, conversation)
        if scope is None:
            return await self._tell(platform, cause, answers.no_scope(options.get("for", "")))
        where = key(scope, platform, place, conversation)
        if where is None:
            return await self._tell(platform, cause, sentences.NO_CONVERSATION)
        if not self._may(scope, platform, cause.author, place):
            return await self._tell(platform, cause, sentences.ADMINS_ONLY)
        after = await self._choices.after(platform, place, conversation, scope=scope, name=name, value=value)
        now = after.get(name, Chosen("", "default"))
        if name == "system" and value is not None:
            text = answers.instructed(scope, value, now)
        else:
            shown = None if value is None else await self._shown(name, value)
            text = answers.chose(name, scope, shown, await self._named(name, now))
            if name == "effort" and value is not None and await self._lacks(after.get("model"), value):
                text = f"{text} {sentences.EFFORT_NEAREST}"
        return await self._store.choose(platform, cause, scope=where, name=name, value=value, text=text)

    def _may(self, scope: Scope, platform: str, author: Author, place: Channel) -> bool:
        """Whether this person may choose for this scope: for a conversation all may, for their direct chat its person."""
        access = self._access.get(platform)
        admin = access is not None and access.administers(author)
        return admin or scope == "conversation" or (scope == "channel" and place.kind == "direct")

    async def _holds(self, platform: str, place: Channel) -> Mapping[str, Chosen]:
        return await self._choices.of(platform, place, await self._store.conversation(place.id))

    async def _named(self, name: str, chosen: Chosen) -> Named:
        return Named(chosen, await self._shown(name, chosen.value))

    async def _shown(self, name: str, value: str) -> str:
        """A value in one line: a model with the name that people know it by."""
        if not value:
            return answers.UNSET[name]
        if name != "model" or self._models is None:
            return code(value)
        model = await self._known(value)
        if model is None or model.id == value:
            return code(value)
        return f"{code(value)} ({code(model.id)})"

    async def _known(self, value: str) -> Model | None:
        if self._models is None:
            return None
        try:
            return await self._models.model(value)
        except Failure as failure:
            log.info("the model is not known", model=value, detail=failure.detail)
            return None

    async def _lacks(self, model: Chosen | None, effort: str) -> bool:
        """Whether the model is known to have other levels."""
        known = None if model is None else await self._known(model.value)
        return known is not None and bool(known.efforts) and effort not in known.efforts

    async def _tell(self, platform: str, cause: Given, text: str) -> Taken:
        return await self._store.tell(platform, cause, decision="command", text=text)


def _scope(asked: str | None, place: Channel, conversation: UUID | None) -> Scope | None:
    """The scope that a choice is for. In a direct chat without an open conversation that is the chat itself."""
    if not asked:
        return "channel" if conversation is None and place.kind == "direct" else "conversation"
    return next((scope for scope in SCOPES if scope == asked.strip().lower()), None)
