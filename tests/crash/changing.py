"""What people do beside asking while the server dies: buttons, changes and commands; and a table of all scenes."""

from typing import Any

from sandbox.anthropic import Script
from shared import sentences
from tests.crash.house import until
from tests.crash.platforms.base import WHERE, Act, Platform
from tests.crash.playing import PERSON, Play
from tests.crash.scenes import Asking, Scene, Waiting, WithCode, WithFiles, WithTools, long, slow

STOPPED = f"\n\n*{sentences.STOPPED}*"
BROKE_OFF = "\n\n*The answer above is incomplete. The connection to Claude broke off. Ask again in a moment.*"


class Changing(Asking):
    """The base of those in which something is done beside asking."""

    act: Act = "press"
    key = ""

    async def over(self, play: Play) -> None:
        await until(lambda: play.taken(key=self.key))
        await play.rest()

    async def heard(self, play: Play) -> bool:
        return await play.heard(self.act, self.key)


class Stop(Changing):
    """The Stop button under an answer that is being written."""

    async def begin(self, play: Play) -> None:
        play.teach(slow(play, "a", 20.0), self.script(play, "b"))
        await play.ask()
        await play.see(lambda: play.buttons() == ["Stop"])

    async def go(self, play: Play) -> None:
        await play.press("Stop")

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            play.expect([play.words("b")])
            return
        assert play.turn()[1] == "stopped"
        said = play.text()
        if said == sentences.STOPPED:
            # What it had come to died with the server.
            play.expect([said], ["Retry"])
        else:
            play.expect([said], ["Continue", "Retry"])
            assert said.endswith(STOPPED), said
            assert long(play, "a").startswith(said.removesuffix(STOPPED)), said


class Retry(Changing):
    """The Retry button under an answer that has broken off."""

    async def begin(self, play: Play) -> None:
        play.teach(
            Script(text=play.words("x", 20), deltas=4, ending="cut", after=2), self.script(play, "a"), self.script(play, "b")
        )
        await play.ask()
        await play.answered()
        play.before = play.expect([play.text()], ["Continue", "Retry"])
        assert play.before.endswith(BROKE_OFF)
        play.message = play.shown()[0].id

    async def go(self, play: Play) -> None:
        await play.press("Retry")

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            play.expect([play.before], ["Continue", "Retry"])
            await play.press("Retry")
            await self.over(play)
        play.expect([play.words("a"), play.words("b")])
        assert play.shown()[0].id == play.message


class EditWhileRunning(Changing):
    """The question is edited while its answer is being written."""

    act = "edit"
    key = "/edit/%"

    async def begin(self, play: Play) -> None:
        play.teach(Script(text=play.words("e")), match="edited")
        play.teach(slow(play, "a", 20.0), self.script(play, "b"))
        await play.ask()
        await play.half()

    async def go(self, play: Play) -> None:
        play.given = play.asked.key
        await play.platform.edit(play.asked.message, f"{play.name} edited")

    async def judge(self, play: Play, heard: bool) -> None:
        play.expect([play.words("e" if heard else "b")])


class EditAfterwards(EditWhileRunning):
    """The question is edited when it has been answered."""

    async def begin(self, play: Play) -> None:
        play.teach(Script(text=play.words("e")), match="edited")
        play.teach(self.script(play, "a"))
        await play.ask()
        await play.answered()
        play.message = play.shown()[0].id

    async def judge(self, play: Play, heard: bool) -> None:
        play.expect([play.words("e" if heard else "a")])
        assert play.shown()[0].id == play.message


class Delete(Changing):
    """The question is deleted while its answer is being written."""

    act = "delete"
    key = "/deleted"

    async def begin(self, play: Play) -> None:
        play.teach(slow(play, "a", 20.0), self.script(play, "b"))
        await play.ask()
        await play.half()

    async def go(self, play: Play) -> None:
        play.given = play.asked.key
        await play.platform.delete(play.asked.message)

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            play.expect([play.words("b")])
            return
        said = play.text()
        assert play.buttons() == []
        assert len(play.shown()) <= 1
        if said == play.words("b") and self.act not in play.platform.once:
            # It was told of again when the answer had been given.
            assert play.turn()[1] == "done"
            return
        assert long(play, "a").startswith(said.removesuffix(STOPPED)), said
        assert play.turn()[1] == "stopped"


class Model(Changing):
    """/model: its answer is for the one who gave it, where the platform has that for commands."""

    act = "command"

    async def begin(self, play: Play) -> None:
        await super().begin(play)
        await play.ask()
        await play.answered()

    async def go(self, play: Play) -> None:
        await play.call("model", "opus")

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            assert self._chosen(play) == []
            assert self._told(play) == 0
            await self.go(play)
            await self.over(play)
        assert self._chosen(play) == [("opus",)]
        assert 1 <= self._told(play) <= 1 + play.house.spare
        said = play.shown()[0].text
        assert said in (play.words("a"), play.words("b"))

    def _chosen(self, play: Play) -> list[Any]:
        turn, _ = play.turn()
        return play.house.rows(
            "SELECT value FROM choices JOIN turns ON scope LIKE '%' || conversation || '%' WHERE name = 'model' AND id = ?", turn
        )

    def _told(self, play: Play) -> int:
        lines = play.platform.told(PERSON, play.asked.place, play.asked.message)
        return sum(line.startswith("The model for this conversation: `opus`") for line in lines)


class New(Changing):
    """/new: its answer is for all."""

    act = "command"

    async def begin(self, play: Play) -> None:
        await super().begin(play)
        await play.ask()
        await play.answered()

    async def go(self, play: Play) -> None:
        await play.call("new")

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            assert self._told(play) == 0
            await self.go(play)
            await self.over(play)
        turn, _ = play.turn()
        talk = "SELECT why FROM conversations WHERE id = (SELECT conversation FROM turns WHERE id = ?)"
        assert play.house.rows(talk, turn) == [("new",)]
        assert 1 <= self._told(play) <= 1 + play.house.spare
        assert play.shown()[0].text in (play.words("a"), play.words("b"))

    def _told(self, play: Play) -> int:
        return sum(each.text == sentences.NEW for each in play.shown())


class Ask(Asking):
    """/ask, whose question then stands in the channel."""

    async def begin(self, play: Play) -> None:
        await super().begin(play)
        await play.see(lambda: play.platform.offers("ask"))

    async def go(self, play: Play) -> None:
        play.given = await play.platform.ask_by_command(PERSON, WHERE, f"{play.name} count")

    async def over(self, play: Play) -> None:
        await play.see(lambda: play.platform.asked_by_command(play.given))
        asked = play.platform.asked_by_command(play.given)
        assert asked is not None
        play.asked = asked
        await play.answered()

    async def heard(self, play: Play) -> bool:
        if play.platform.asked_by_command(play.given) is None:
            return False
        await self.over(play)
        return True

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            await self.go(play)
            await self.over(play)
        play.expect([play.words("a"), play.words("b")])
        if not play.platform.shows_question:
            return
        asked = [each for each in play.platform.answers(WHERE) if each.sort == "asked" and f"{play.name} " in each.text]
        assert [each.id for each in asked] == [play.asked.message]


SCENES: dict[str, Scene] = {
    "files": WithFiles(),
    "tools": WithTools(),
    "code": WithCode(),
    "waiting": Waiting(),
    "stop": Stop(),
    "retry": Retry(),
    "edit-running": EditWhileRunning(),
    "edit-ended": EditAfterwards(),
    "delete": Delete(),
    "model": Model(),
    "new": New(),
    "ask": Ask(),
}


def played(platform: type[Platform]) -> list[str]:
    """The scenes that have sense on a platform."""
    left_out = {"stop"} if not platform.stop_button else set[str]()
    if not platform.tells_deletions:
        left_out.add("delete")
    return [name for name in (platform.scenes or SCENES) if name not in left_out]
