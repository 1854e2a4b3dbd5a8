"""Who may ask: closed direct chats, people who are not let in, admins; and menus that are registered once."""

from pathlib import Path

from tests.script.base import ADMIN
from tests.script.stage import opened

NO = "I may not answer you here. Ask the person who runs this bot to let you in."


async def test_a_closed_direct_chat_is_told_once_an_hour_and_admins_may_write(tmp_path: Path) -> None:
    async with opened(tmp_path, discord_direct="closed") as stage:
        ada, chat = await stage.alone()
        await stage.say(ada, chat, "hello")
        await stage.reads(ada, chat, f"{ada}: hello", f"threadline: {NO}")
        await stage.say(ada, chat, "hello?")
        assert await stage.told(ada, chat, "settings") == f"{NO} (only you)"
        await stage.call(ada, chat, "ask", question="please")
        await stage.reads(
            ada, chat, f"{ada}: hello", f"threadline: {NO}", f"{ada}: hello?", f"threadline: {NO} (only you)",
            "threadline: > please", f"threadline: {NO}",
        )  # fmt: skip
        assert await stage.discord.autocomplete(ada, "model", "name", "", chat) == []
        stage.answers("it is me", "Welcome.")
        await stage.say(ADMIN, f"@{ADMIN}", "it is me")
        await stage.reads(ADMIN, f"@{ADMIN}", f"{ADMIN}: it is me", "threadline: Welcome.")


async def test_why_tells_admins_what_became_of_everybodys_messages(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        place = await stage.channel()
        await stage.stop()
        await stage.start(discord_allowed_users=stage.number(ADMIN))
        ada = await stage.person()
        await stage.say(ada, place, "@threadline let me in")
        await stage.reads(ada, place, f"{ada}: @threadline let me in", f"threadline: {NO}")
        why = "It was not answered: I may not answer this person here. The person who runs this bot can change that."
        heard = "Here I take messages that mention me or reply to me. Others, and those of bots, I leave alone."
        assert await stage.told(ADMIN, place, "why") == (
            f"What became of the last messages here:\n- just now (`{stage.number(ada)}`): {why}\n{heard} (only you)"
        )


async def test_without_the_message_content_a_thread_says_that_mentions_are_needed(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await stage.stop()
        await stage.discord.set_message_content(False)
        await stage.start(discord_message_content="auto")
        ada, place = await stage.person(), await stage.channel()
        stage.answers("can you read", "Yes.")
        thread = await stage.say(ada, place, "@threadline can you read")
        await stage.reads(ada, thread, "threadline: Yes.")
        await stage.say(ada, thread, "and this?")
        unread = "threadline: I can only read messages here that mention me. Mention me to go on."
        await stage.reads(ada, thread, "threadline: Yes.", f"{ada}: and this?", unread)


async def test_the_commands_are_registered_once_however_often_the_server_starts(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        for _ in range(2):
            await stage.stop()
            await stage.start()
        assert await stage.told(ADMIN, f"@{ADMIN}", "undo") == "There is nothing here to forget. (only you)"
        assert len([c for c in stage.discord.calls if c.method == "PUT" and c.path.endswith("/commands")]) == 1
