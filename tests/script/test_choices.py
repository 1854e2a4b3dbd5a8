"""Choosing the model, the effort and further instructions for a scope, and seeing which one won."""

import pytest

from tests.script.base import ADMIN, text
from tests.script.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = (
    "`claude-fable-5-2`, `claude-opus-5-5`, `claude-sonnet-5-5`, `claude-haiku-5-5`, `claude-small-window`, "
    "`claude-haiku-4-5`, `claude-sonnet-4-5`"
)
LEVELS = "`low`, `medium`, `high`, `xhigh`, `max`"
ADMINS_ONLY = (
    "Only this bot's admins may choose that for more than one conversation. Choose it for this conversation instead. (only you)"
)
SET_UP = "as this bot is set up"
USUAL = "`sonnet` (`claude-sonnet-5-5`)"


async def test_model_shows_what_holds_and_what_there_is(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "model") == (
        f"The model here: {USUAL}, {SET_UP}.\nYou can choose {MODELS} or `default`. (only you)"
    )


async def test_an_unknown_model_is_not_chosen(stage: Stage) -> None:
    ada, chat = await stage.alone()
    there = f"There are {MODELS}; /model shows which one holds."
    assert await stage.told(ada, chat, "model", name="gpt-9") == f"There is no model `gpt-9` for me. {there} (only you)"
    assert await stage.told(ada, chat, "model", name="a `b` *c*") == f"There is no model `a 'b' *c*` for me. {there} (only you)"
    await stage.say(ada, chat, "/model nonsense")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == f"threadline: There is no model `nonsense` for me. {there}")


async def test_a_model_holds_for_the_conversation_it_is_chosen_in(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    thread = await stage.say(ada, place, "@threadline beforehand")
    await stage.answered(ada, thread, 1)
    chosen = await stage.told(ada, thread, "model", name="opus")
    assert chosen == "The model for this conversation: `opus` (`claude-opus-5-5`). (only you)"
    await stage.say(ada, thread, "which one answers opusly?")
    await stage.answered(ada, thread, 3)
    assert stage.body("opusly")["model"] == "claude-opus-5-5"
    other = await stage.say(ada, place, "@threadline which one answers otherwise?")
    await stage.answered(ada, other, 1)
    assert stage.body("otherwise")["model"] == "claude-sonnet-5-5"
    back = await stage.told(ada, thread, "model", name="default")
    assert back == f"The model for this conversation: taken back. What holds here now: {USUAL}, {SET_UP}. (only you)"


async def test_a_model_written_as_text_is_chosen_too(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("textual", "Yes.")
    await stage.say(ada, chat, "textual")
    await stage.reads(ada, chat, f"{ada}: textual", "threadline: Yes.")
    await stage.say(ada, chat, "/model haiku for:conversation")
    await stage.reads(
        ada, chat, f"{ada}: textual", "threadline: Yes.", f"{ada}: /model haiku for:conversation",
        "threadline: The model for this conversation: `haiku` (`claude-haiku-5-5`).",
    )  # fmt: skip


async def test_in_a_direct_chat_without_a_conversation_it_is_chosen_for_the_chat(stage: Stage) -> None:
    ada, chat = await stage.alone()
    chosen = await stage.told(ada, chat, "model", name="claude-haiku-5-5")
    assert chosen == "The model for this channel: `claude-haiku-5-5`. (only you)"


async def test_in_a_channel_without_a_conversation_there_is_nothing_to_choose_for(stage: Stage) -> None:
    place = await stage.channel()
    none = (
        "No conversation is open here that this could hold for. Ask something first, then write this where I answer. (only you)"
    )
    assert await stage.told(await stage.person(), place, "effort", level="low") == none


async def test_wider_scopes_are_for_admins(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    for scope in ("channel", "platform", "global"):
        assert await stage.told(ada, place, "model", name="opus", for_=scope) == ADMINS_ONLY
        assert await stage.told(ada, place, "effort", level="max", for_=scope) == ADMINS_ONLY
        assert await stage.told(ada, place, "system", text="Be rude.", for_=scope) == ADMINS_ONLY


async def test_the_narrowest_scope_wins_and_settings_shows_which(stage: Stage) -> None:
    place = await stage.channel()
    thread = await stage.say(ADMIN, place, "@threadline a beginning")
    await stage.answered(ADMIN, thread, 1)

    async def choose(scope: str, model: str) -> str:
        return await stage.told(ADMIN, thread, "model", name=model, for_=scope)

    async def held() -> str:
        return (await stage.told(ADMIN, thread, "settings")).splitlines()[1]

    assert await held() == f"- model: {USUAL}, {SET_UP}"
    assert await choose("global", "fable") == "The model for all places: `fable` (`claude-fable-5-2`). (only you)"
    assert await held() == "- model: `fable` (`claude-fable-5-2`), chosen for all places"
    assert await choose("platform", "opus") == "The model for this platform: `opus` (`claude-opus-5-5`). (only you)"
    assert await held() == "- model: `opus` (`claude-opus-5-5`), chosen for this platform"
    assert await choose("channel", "haiku") == "The model for this channel: `haiku` (`claude-haiku-5-5`). (only you)"
    assert await held() == "- model: `haiku` (`claude-haiku-5-5`), chosen for this channel"
    assert await choose("conversation", "sonnet") == "The model for this conversation: `sonnet` (`claude-sonnet-5-5`). (only you)"
    assert await held() == "- model: `sonnet` (`claude-sonnet-5-5`), chosen for this conversation"
    wider = await choose("global", "opus")
    assert wider == (
        "The model for all places: `opus` (`claude-opus-5-5`). "
        "What holds here: `sonnet` (`claude-sonnet-5-5`), chosen for this conversation. (only you)"
    )
    for scope in ("conversation", "channel", "platform", "global"):
        await choose(scope, "default")
    assert await held() == f"- model: {USUAL}, {SET_UP}"


async def test_effort_is_chosen_by_level_and_reaches_the_model(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "effort") == (
        f"The effort here: the model's own, {SET_UP}.\nYou can choose {LEVELS} or `default`. (only you)"
    )
    assert await stage.told(ada, chat, "effort", level="low") == "The effort for this channel: `low`. (only you)"
    await stage.say(ada, chat, "/effort enormous")
    none = f"There is no effort `enormous`. There are {LEVELS} and `default`."
    await stage.until(lambda: stage.sees(ada, chat)[-1] == f"threadline: {none}")
    await stage.say(ada, chat, "effortless")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: effortless")
    assert stage.body("effortless")["output_config"] == {"effort": "low"}


async def test_a_level_that_the_model_does_not_have_is_told(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await stage.told(ada, chat, "model", name="claude-haiku-5-5")
    assert await stage.told(ada, chat, "effort", level="max") == "The effort for this channel: `max`. (only you)"


async def test_instructions_reach_the_model_from_the_next_answer_on(stage: Stage) -> None:
    ada, chat = await stage.alone()
    none = "There are no further instructions here. Write them after /system. (only you)"
    assert await stage.told(ada, chat, "system") == none
    set_ = await stage.told(ada, chat, "system", text="Rhyme.\nAlways.")
    assert set_ == "The instructions for this channel, from the next answer on:\n```\nRhyme.\nAlways.\n``` (only you)"
    shown = await stage.told(ada, chat, "system")
    assert shown == (
        "The instructions here, chosen for this channel:\n```\nRhyme.\nAlways.\n```\n"
        "Write `/system default for:channel` to take them back. (only you)"
    )
    await stage.say(ada, chat, "instructed")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: instructed")
    assert str(stage.body("instructed")["system"]).endswith("Rhyme.\\nAlways.', 'cache_control': {'type': 'ephemeral'}}]")
    assert text(stage.body("instructed")) == "instructed"
    back = await stage.told(ada, chat, "system", text="default", for_="conversation")
    assert back == (
        "The instructions for this conversation: taken back. "
        "What holds here now: `Rhyme. Always.`, chosen for this channel. (only you)"
    )
    back = await stage.told(ada, chat, "system", text="default", for_="channel")
    assert back == f"The instructions for this channel: taken back. What holds here now: none, {SET_UP}. (only you)"


async def test_settings_shows_everything_that_holds(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "settings") == (
        "What holds here:\n"
        f"- model: {USUAL}, {SET_UP}\n"
        f"- effort: the model's own, {SET_UP}\n"
        f"- instructions: none, {SET_UP}\n"
        "- a conversation is closed: after 24 hours without a message, set for all places\n"
        "- `THINKING`: `off`, the default\n"
        "- `WEB_SEARCH`: `off`, the default\n"
        "- `WEB_FETCH`: `off`, the default\n"
        "- `CODE_EXECUTION`: `off`, the default\n"
        "- `HISTORY_TURNS`: `200`, the default\n"
        "- `FILES_PER_MESSAGE`: `10`, the default\n"
        "- `FILE_MEGABYTES`: `20`, the default\n"
        "- `FILES_DAYS`: `30`, the default\n"
        "- `CODE_FILE_CHARACTERS`: `4000`, the default\n"
        "- `BURST_SECONDS`: `0`, set by the operator\n"
        "- `WHEN_BUSY`: `queue`, the default\n"
        "- `QUEUE_LIMIT`: `10`, the default\n"
        "- `USER_PER_MINUTE`: `0`, set by the operator\n"
        "- `TURN_SECONDS`: `900`, the default\n"
        "- `IDLE_NOTICE`: `on`, the default\n"
        "- `RECALL_HOURS`: `6`, the default\n"
        "/model, /effort and /system change the first three; /usage shows the limits. (only you)"
    )
