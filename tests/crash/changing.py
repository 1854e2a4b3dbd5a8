"""What people do while the server dies that Discord tells of only once: buttons, changes and commands; and a table of all."""

from typing import Any

from sandbox.anthropic import Script
from shared import sentences
from tests.crash.house import until
from tests.crash.playing import PERSON, WHERE, Play
from tests.crash.scenes import Asking, Scene, Waiting, WithCode, WithFiles, WithTools, long, slow

STOPPED = f"\n\n*{sentences.STOPPED}*"
BROKE_OFF = "\n\n*The answer above is incomplete. The connection to Claude broke off. Ask again in a moment.*"


class Changing(Asking):
    """The base of those in which something is done that Discord tells of only once."""

    key = ""

    async def over(self, play: Play) -> None:
        await until(lambda: play.taken(key=self.key))
        await play.rest()

    async def heard(self, play: Play) -> bool:
        await play.rest()
        return play.taken(key=self.key)


class Stop(Changing):
    """The Stop button under an answer that is being written."""

    async def begin(self, play: Play) -> None:
        play.teach(slow(play, "a", 20.0), self.script(play, "b"))
        await play.ask()
        await play.half()

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
        play.message = str(play.shown()[0]["id"])

    async def go(self, play: Play) -> None:
        await play.press("Retry")

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            play.expect([play.before], ["Continue", "Retry"])
            await play.press("Retry")
            await self.over(play)
        play.expect([play.words("a"), play.words("b")])
        assert play.shown()[0]["id"] == play.message


class EditWhileRunning(Changing):
    """The question is edited while its answer is being written."""

    key = "/edit/%"

    async def begin(self, play: Play) -> None:
        play.teach(Script(text=play.words("e")), match="edited")
        play.teach(slow(play, "a", 20.0), self.script(play, "b"))
        await play.ask()
        await play.half()

    async def go(self, play: Play) -> None:
        play.given = play.asked
        await play.house.discord.edit(play.asked, f"@threadline {play.name} edited")

    async def judge(self, play: Play, heard: bool) -> None:
        play.expect([play.words("e" if heard else "b")])


class EditAfterwards(EditWhileRunning):
    """The question is edited when it has been answered."""

    async def begin(self, play: Play) -> None:
        play.teach(Script(text=play.words("e")), match="edited")
        play.teach(self.script(play, "a"))
        await play.ask()
        await play.answered()
        play.message = str(play.shown()[0]["id"])

    async def judge(self, play: Play, heard: bool) -> None:
        play.expect([play.words("e" if heard else "a")])
        assert play.shown()[0]["id"] == play.message


class Delete(Changing):
    """The question is deleted while its answer is being written."""

    key = "/deleted"

    async def begin(self, play: Play) -> None:
        play.teach(slow(play, "a", 20.0), self.script(play, "b"))
        await play.ask()
        await play.half()

    async def go(self, play: Play) -> None:
        play.given = play.asked
        await play.house.discord.delete(play.asked)

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            play.expect([play.words("b")])
            return
        said = play.text()
        assert play.buttons() == []
        assert len(play.shown()) <= 1
        assert long(play, "a").startswith(said.removesuffix(STOPPED)), said
        assert play.turn()[1] == "stopped"


class Model(Changing):
    """/model as a command of the platform: its answer is for the one who gave it."""

    async def begin(self, play: Play) -> None:
        await super().begin(play)
        await play.ask()
        await play.answered()

    async def go(self, play: Play) -> None:
        await play.call("model", play.asked, name="opus")

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            assert self._chosen(play) == []
            assert self._told(play) == 0
            await self.go(play)
            await self.over(play)
        assert self._chosen(play) == [("opus",)]
        assert self._told(play) == 1
        play.expect([play.words("a"), play.words("b")])

    def _chosen(self, play: Play) -> list[Any]:
        turn, _ = play.turn()
        return play.house.rows(
            "SELECT value FROM choices JOIN turns ON scope LIKE '%' || conversation || '%' WHERE name = 'model' AND id = ?", turn
        )

    def _told(self, play: Play) -> int:
        lines = play.house.discord.sees(PERSON, play.asked)
        return sum(line["text"].startswith("The model for this conversation: `opus`") for line in lines)


class New(Changing):
    """/new as a command of the platform: its answer is for all."""

    async def begin(self, play: Play) -> None:
        await super().begin(play)
        await play.ask()
        await play.answered()

    async def go(self, play: Play) -> None:
        await play.call("new", play.asked)

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            assert self._told(play) == 0
            await self.go(play)
            await self.over(play)
        turn, _ = play.turn()
        talk = "SELECT why FROM conversations WHERE id = (SELECT conversation FROM turns WHERE id = ?)"
        assert play.house.rows(talk, turn) == [("new",)]
        assert self._told(play) == 1
        assert play.shown()[0]["content"] in (play.words("a"), play.words("b"))

    def _told(self, play: Play) -> int:
        return sum(each["content"] == sentences.NEW for each in play.shown())


class Ask(Asking):
    """/ask, whose question then stands in the channel."""

    async def begin(self, play: Play) -> None:
        await super().begin(play)
        # Commands are registered once, some time after the connection is there.
        await play.see(lambda: any(each["name"] == "ask" for each in play.house.discord.commands(PERSON, WHERE)))

    async def go(self, play: Play) -> None:
        await play.call("ask", WHERE, question=f"{play.name} count")

    async def over(self, play: Play) -> None:
        await play.see(lambda: play.house.discord.interaction(play.given)["message"])
        play.asked = str(play.house.discord.interaction(play.given)["message"])
        await play.answered()

    async def heard(self, play: Play) -> bool:
        if play.house.discord.interaction(play.given)["message"] is None:
            return False
        await self.over(play)
        return True

    async def judge(self, play: Play, heard: bool) -> None:
        if not heard:
            assert play.house.discord.interaction(play.given)["answered"] is None
            await self.go(play)
            await self.over(play)
        play.expect([play.words("a"), play.words("b")])
        asked = [each for each in play.house.answers(WHERE) if f"{play.name} " in each["content"]]
        assert [each["id"] for each in asked] == [play.asked]


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
