"""Choosing the model, the effort and instructions: word for word, and who may choose for whom."""

from pathlib import Path

import pytest

from shared import sentences
from shared.backends import Model
from shared.errors import Failure, RateLimited, Unavailable
from tests.shared.desk import ATTIC, DIRECT, HALL, NICHE, Shelf, desk

THERE = "You can choose `large-3`, `middle-2`, `small-1` or `default`."
LEVELS = "You can choose `low`, `medium`, `high`, `xhigh`, `max` or `default`."


async def test_the_model_is_shown_with_its_origin_and_chosen_by_name_or_alias(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        assert await h.say("/model") == f"The model here: `middle-2`, as this bot is set up.\n{THERE}"
        assert await h.say("/model large-3") == "The model for this conversation: `large-3`."
        assert await h.say("/model large") == "The model for this conversation: `large` (`large-3`)."
        assert await h.say("/model") == f"The model here: `large` (`large-3`), chosen for this conversation.\n{THERE}"
        assert await h.say("/model default") == (
            "The model for this conversation: taken back. What holds here now: `middle-2`, as this bot is set up."
        )


async def test_a_model_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        assert await h.say("/model nope*`<@1>`") == (
            "There is no model `nope*'<@1>` for me. There are `large-3`, `middle-2`, `small-1`; /model shows which one holds."
        )
        assert await h.say("/model") == f"The model here: `middle-2`, as this bot is set up.\n{THERE}"


async def test_a_model_that_was_taken_away_later_is_still_shown_by_its_name(tmp_path: Path) -> None:
    shelf = Shelf()
    async with desk(tmp_path, models=shelf) as h:
        await h.talked("hello")
        await h.say("/model small")
        shelf.there = shelf.there[:1]
        assert await h.say("/model") == (
            "The model here: `small`, chosen for this conversation.\nYou can choose `large-3` or `default`."
        )


async def test_a_backend_that_does_not_know_its_models_lets_nobody_choose(tmp_path: Path) -> None:
    async with desk(tmp_path, known=False, defaults={}) as h:
        assert await h.say("/model") == "The model of this bot cannot be chosen."
        assert await h.say("/model opus") == "The model of this bot cannot be chosen."
        assert "- model: the backend's own, as this bot is set up" in await h.say("/settings")


async def test_the_effort_is_shown_and_chosen(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        assert await h.say("/effort") == f"The effort here: the model's own, as this bot is set up.\n{LEVELS}"
        assert await h.say("/effort HIGH") == "The effort for this conversation: `high`."
        assert await h.say("/effort max") == (
            "The effort for this conversation: `max`. The model here does not know this level; the nearest that it has is used."
        )
        assert await h.say("/effort lots") == (
            "There is no effort `lots`. There are `low`, `medium`, `high`, `xhigh`, `max` and `default`."
        )
        assert await h.say("/effort default") == (
            "The effort for this conversation: taken back. What holds here now: the model's own, as this bot is set up."
        )


async def test_instructions_are_shown_back_so_that_they_break_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        assert await h.say("/system") == "There are no further instructions here. Write them after /system."
        said = await h.say("/system Be a ```pirate```.\n# <@1> @everyone \u202e")
        block = "```\nBe a '''pirate'''.\n# <@1> @everyone\n```"
        assert said == f"The instructions for this conversation, from the next answer on:\n{block}"
        assert await h.say("/system") == (
            f"The instructions here, chosen for this conversation:\n{block}\nWrite `/system default` to take them back."
        )
        scope = f"conversation:{await h.store.conversation(HALL.id)}"
        assert (await h.store.choices([scope]))[scope] == {"system": "Be a ```pirate```.\n# <@1> @everyone \u202e"}
        assert await h.say("/system default") == (
            "The instructions for this conversation: taken back. What holds here now: none, as this bot is set up."
        )
        assert await h.say(f"/system {'x' * 1501}") == "These instructions are too long. Shorten them to 1,500 characters."
        longest = await h.say(f"/system {'x' * 1500}")
        assert longest.startswith("The instructions for this conversation")
        assert len(longest) < 2000


@pytest.mark.parametrize("scope", ["channel", "platform", "global"])
async def test_only_admins_choose_for_more_than_a_conversation(tmp_path: Path, scope: str) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        for command in ("/model large", "/effort low", "/system be kind", "/model default"):
            assert await h.say(f"{command} for:{scope}") == (
                "Only this bot's admins may choose that for more than one conversation. Choose it for this conversation instead."
            )
        where = sentences.SCOPE[scope]
        assert await h.say(f"/model large {scope}", who="root") == f"The model for {where}: `large` (`large-3`)."
        assert await h.say("/model") == f"The model here: `large` (`large-3`), chosen for {where}.\n{THERE}"


async def test_a_choice_that_a_narrower_one_hides_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        await h.say("/model small")
        assert await h.say("/model large channel", who="root") == (
            "The model for this channel: `large` (`large-3`). What holds here: `small` (`small-1`), chosen for this conversation."
        )
        await h.say("/system be brief")
        assert await h.say("/system be kind for:global", who="root") == (
            "The instructions for all places, from the next answer on:\n```\nbe kind\n```\n"
            "Here others hold, chosen for this conversation."
        )


async def test_without_an_open_conversation_there_is_nothing_to_choose_for_but_in_a_direct_chat(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        nothing = "No conversation is open here that this could hold for. Ask something first, then write this where I answer."
        assert await h.say("/model large") == nothing
        assert await h.say("/effort low conversation") == nothing
        assert await h.say("/model large", place=DIRECT) == "The model for this channel: `large` (`large-3`)."
        await h.talked("hello", place=DIRECT)
        assert await h.say("/model small", place=DIRECT) == "The model for this conversation: `small` (`small-1`)."
        assert await h.say("/model default channel", place=DIRECT) == (
            "The model for this channel: taken back. What holds here now: `small` (`small-1`), chosen for this conversation."
        )
        assert await h.say("/model large global", place=DIRECT) == sentences.ADMINS_ONLY


async def test_a_choice_ends_with_its_conversation_and_holds_in_no_other(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        await h.talked("hello", place=NICHE)
        await h.say("/model large")
        assert "`middle-2`, as this bot" in await h.say("/model", place=NICHE)
        await h.say("/new")
        await h.talked("hello again")
        assert "`middle-2`, as this bot" in await h.say("/model")
        await h.say("/resume")
        assert "`large` (`large-3`), chosen for this conversation" in await h.say("/model")
        await h.say("/model default")
        assert await h.say("/model small channel", who="root", place=NICHE) == "The model for this channel: `small` (`small-1`)."
        assert "`small` (`small-1`), chosen for this channel" in await h.say("/model")
        assert "`middle-2`, as this bot" in await h.say("/model", place=ATTIC)


async def test_a_scope_that_there_is_not_is_told(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        await h.talked("hello")
        taken = await h.give("effort", level="low", for_="world `x`")
        assert await h.read(taken) == (
            "Nothing can be chosen for `world 'x'`. There are `conversation`, `channel`, `platform`, `global`."
        )


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Unavailable("no route"), "Claude cannot be reached. Ask again in a moment."),
        (RateLimited("429", 20.0), "Claude takes no more requests from us for now. Ask again in 20 seconds."),
    ],
)
async def test_a_model_that_cannot_be_looked_up_just_now_is_told_so_and_spoils_nothing_else(
    tmp_path: Path, failure: Failure, said: str
) -> None:
    class Away(Shelf):
        async def model(self, name: str) -> Model:
            raise failure

    async with desk(tmp_path, models=Away()) as h:
        await h.talked("hello")
        assert await h.say("/model large-3") == said
        assert await h.say("/model") == f"The model here: `middle-2`, as this bot is set up.\n{THERE}"
        assert await h.say("/effort high") == "The effort for this conversation: `high`."
        assert "- model: `middle-2`, as this bot is set up" in await h.say("/settings")
