"""What the server keeps on file beside the turns: silences that the platform asked for, and how far it has read."""

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from sandbox.faults import Rule
from tests.crash.dying import KINDS, ask, finished
from tests.crash.house import house, until
from tests.crash.platforms import PLATFORMS

pytestmark = pytest.mark.crash


# The silence is longer than a server takes to start and to answer, which shows whether it waits.
# Not where an answer that may not be begun can be posted: that is another method, with a limit of its own.
@pytest.mark.parametrize("on", [on for on in PLATFORMS if on != "slack-streams"])
async def test_a_silence_that_was_asked_for_is_kept_after_a_kill(on: str, tmp_path: Path, before: Path) -> None:
    turn = KINDS[on]["short"]
    async with house(tmp_path, before=before, on=on) as around:
        server = await around.start()
        await around.connected(server)
        # Without the header Via it comes from before Discord, and discord.py leaves it to its caller (discord/http.py, request).
        told = Rule(
            "status",
            method="POST",
            path=around.platform.posts,
            status=429,
            headers={"Retry-After": "4"},
            body=around.platform.refusal,
        )
        await around.platform.fault(told)
        asked = await ask(around, turn)
        await until(lambda: bool(around.rows("SELECT until FROM blocks")))
        await server.kill()
        await around.disconnected()
        end = max(stamp for (stamp,) in around.rows("SELECT until FROM blocks")) / 1e6
        await around.connected(await around.start())
        await finished(around, asked.place, turn)
        refused, taken = (
            call for call in around.platform.log if call.method == "POST" and re.search(around.platform.posts, call.path)
        )
        assert refused.fault
        assert taken.arrived >= end


@pytest.mark.parametrize("on", [on for on, platform in PLATFORMS.items() if platform.recalls])
async def test_what_has_been_read_is_noted_while_the_server_runs(on: str, tmp_path: Path, before: Path) -> None:
    async with house(tmp_path, before=before, on=on) as around:
        server = await around.start()
        await around.connected(server)
        asked = await ask(around, KINDS[on]["short"])
        await finished(around, asked.place, KINDS[on]["short"])
        last = await around.platform.say("user2", "not for the bot")
        await until(lambda: (last,) in around.rows("SELECT message FROM marks"))
        assert server.process.returncode is None


async def test_what_is_over_is_thrown_away_by_itself(tmp_path: Path, before: Path) -> None:
    async with house(tmp_path, before=before) as around:
        with contextlib.closing(sqlite3.connect(tmp_path / "state" / "threadline.db")) as file, file:
            file.execute("INSERT INTO blocks (scope, until) VALUES ('discord:old', 1)")
        await around.start()
        await until(lambda: around.rows("SELECT scope FROM blocks") == [])
