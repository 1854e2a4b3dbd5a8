"""Kills the real server before and after every commit and every platform call of what people can do, starts it again, and looks.

One house sees a whole scene: it is played once for each point at which the server can die, and a last time without a kill. How
many points there are is found out so, and none can be left out.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Literal

import pytest

from sandbox.faults import Moment, Rule
from tests.crash.changing import SCENES, played
from tests.crash.house import House, Server, house
from tests.crash.platforms import PLATFORMS
from tests.crash.platforms.base import Sky
from tests.crash.playing import Play, look_over
from tests.crash.scenes import SETTINGS, Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]
What = Literal["commit", "call"]
PLAYED = [
    (on, name, what, moment)
    for on, platform in PLATFORMS.items()
    for name in played(platform)
    for what in ("commit", "call")
    for moment in ("before", "after")
    # Before a commit is after the one before it and after the calls between them.
    if on == "discord" or (what, moment) != ("commit", "before")
]
MOST = 30
"""Points at which a server can die in any scene; there are fewer."""


async def again(around: House) -> Server:
    server = await around.start()
    await around.connected(server)
    return server


async def arm(around: House, server: Server, what: What, number: int, moment: Moment) -> Callable[[], bool]:
    """Let it die at this point; returns what tells whether it was struck, which may be known before it is dead."""
    if what == "commit":
        server.die_at(number, moment)
        return server.struck
    platform = around.platform
    fault = await platform.fault(Rule("kill", path=platform.acts, moment=moment, nth=number, pid=server.pid))
    return lambda: str(fault) not in platform.simulator.faults_in_force()


async def disarm(around: House, server: Server) -> None:
    """What comes later is of no scene, and the number of a dead process may be given to another."""
    await around.platform.clear_faults()
    if server.process.returncode is None:
        server.die_at(0, "before")


async def play_to_the_end(scene: Scene, play: Play, server: Server, struck: Callable[[], bool]) -> bool:
    """Play on until the server is dead or the scene is over; whether it is over."""
    dead = asyncio.create_task(server.process.wait())
    await scene.go(play)
    over = asyncio.create_task(scene.over(play))
    await asyncio.wait([dead, over], return_when=asyncio.FIRST_COMPLETED)
    # What was done may be seen before the death that comes right after it.
    alive = not dead.done() and not struck()
    for task in (dead, over):
        task.cancel()
    await asyncio.gather(dead, over, return_exceptions=True)
    if alive:
        over.result()
    return alive


@pytest.mark.parametrize(("on", "name", "what", "moment"), PLAYED)
async def test_no_kill_loses_doubles_or_mixes_anything(
    on: str, name: str, what: What, moment: Moment, tmp_path: Path, before: Path
) -> None:
    scene = SCENES[name]
    async with house(tmp_path, before=before, on=on, sky=Sky(wide=on != "discord")) as around:
        around.settings.update(SETTINGS)
        server = await again(around)
        for number in count(1):
            assert number < MOST
            play = Play(around, f"{name.replace('-', '')}n{number}")
            await scene.begin(play)
            struck = await arm(around, server, what, number, moment)
            alive = await play_to_the_end(scene, play, server, struck)
            await disarm(around, server)
            if alive:
                await scene.judge(play, heard=True)
                break
            assert await server.process.wait() == -9, around.log()[-3000:]
            await around.disconnected()
            server = await again(around)
            await play.rest()
            await scene.judge(play, await scene.heard(play))
        await server.stop()
        look_over(around)
