"""What the server keeps on file beside the turns: silences that the platform asked for, and how far it has read."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from sandbox.faults import Rule
from tests.crash.dying import KINDS, ask, finished
from tests.crash.house import house, until

pytestmark = pytest.mark.crash
POSTS = r"/channels/\d+/messages$"


# The silence is longer than a server takes to start and to answer, which shows whether it waits.
async def test_a_silence_that_was_asked_for_is_kept_after_a_kill(tmp_path: Path, before: Path) -> None:
    turn = KINDS["short"]
    async with house(tmp_path, before=before) as around:
        server = await around.start()
        await around.connected(server)
        # Without the header Via it comes from before Discord, and discord.py leaves it to its caller (discord/http.py, request).
        told = Rule("status", method="POST", path=POSTS, status=429, headers={"Retry-After": "4"}, body="too many")
        await around.discord.fault(told)
        asked = await ask(around, turn)
        await until(lambda: bool(around.rows("SELECT until FROM blocks")))
        await server.kill()
        await around.disconnected()
        end = max(stamp for (stamp,) in around.rows("SELECT until FROM blocks")) / 1e6
        await around.connected(await around.start())
        await finished(around, asked["id"], turn)
        refused, taken = around.discord.calls.matching("POST", f"{asked['id']}/messages")
        assert refused.fault
        assert taken.arrived >= end


async def test_what_has_been_read_is_noted_while_the_server_runs(tmp_path: Path, before: Path) -> None:
    async with house(tmp_path, before=before) as around:
        server = await around.start()
        await around.connected(server)
        asked = await ask(around, KINDS["short"])
        await finished(around, asked["id"], KINDS["short"])
        last = await around.discord.say("user2", "general", "not for the bot")
        await until(lambda: (f"discord:{last['id']}",) in around.rows("SELECT message FROM marks"))
        assert server.process.returncode is None


async def test_what_is_over_is_thrown_away_by_itself(tmp_path: Path, before: Path) -> None:
    async with house(tmp_path, before=before) as around:
        with contextlib.closing(sqlite3.connect(tmp_path / "state" / "threadline.db")) as file, file:
            file.execute("INSERT INTO blocks (scope, until) VALUES ('discord:old', 1)")
        await around.start()
        await until(lambda: around.rows("SELECT scope FROM blocks") == [])
