"""What people do while the server dies: questions and answers with files and tools in them.

A scene is played again and again. `begin` comes before the server may die, `go` is what it may die of, and `judge` says what has
to be seen when it has been started again. Messages are kept by the platform; of what it tells only once, as of a press, nothing
is left if it comes to a dead server (`Platform.once`).
"""

import base64
from io import BytesIO
from typing import Any, Protocol

from PIL import Image

from sandbox.anthropic import Script
from shared.folding import fold
from tests.crash.house import until
from tests.crash.playing import Play
from tests.shared.backends.samples import document

FOLD = 300
SETTINGS = {
    # Everything of a scene comes within moments, from one person: nothing of it is one question, and nothing too much.
    "BURST_SECONDS": "0",
    "USER_PER_MINUTE": "0",
    "WEB_SEARCH": "on",
    "CODE_EXECUTION": "on",
    "CODE_FILE_CHARACTERS": str(FOLD),
}
PAGE = {"url": "https://one.example/a", "title": "One"}


class Scene(Protocol):
    """One scene."""

    async def begin(self, play: Play) -> None:
        """Everything up to the moment from which the server may die."""
        ...

    async def go(self, play: Play) -> None:
        """What people do then."""
        ...

    async def over(self, play: Play) -> None:
        """Wait until the server has done all that there is to do."""
        ...

    async def heard(self, play: Play) -> bool:
        """Whether the server had heard of it, by the file, when it died; waits for what the platform keeps."""
        ...

    async def judge(self, play: Play, heard: bool) -> None:
        """Check what is to be seen. The server runs, and may be asked for more."""
        ...


class Asking:
    """The base of those in which a question is asked, which the platform keeps."""

    async def begin(self, play: Play) -> None:
        play.teach(self.script(play, "a"), self.script(play, "b"))

    async def go(self, play: Play) -> None:
        await play.ask()

    async def over(self, play: Play) -> None:
        await play.answered()

    async def heard(self, play: Play) -> bool:
        await self.over(play)
        return True

    async def judge(self, play: Play, heard: bool) -> None:
        play.expect([play.words("a"), play.words("b")])

    def script(self, play: Play, variant: str) -> Script:
        return Script(text=play.words(variant))


class WithFiles(Asking):
    """A question with a picture and a PDF."""

    async def go(self, play: Play) -> None:
        both = [_file("p.png", "image/png", _picture()), _file("d.pdf", "application/pdf", document(1))]
        await play.ask(files=both[: play.platform.files_at_once])

    async def judge(self, play: Play, heard: bool) -> None:
        await super().judge(play, heard)
        for body in play.asked_model():
            kinds = [block["type"] for block in body["messages"][-1]["content"]]
            assert (kinds.count("image"), kinds.count("document")) == (1, play.platform.files_at_once > 1), kinds
        turn, _ = play.turn()
        kept = play.house.rows("SELECT name FROM files WHERE turn = ? AND made IS NOT NULL AND blob IS NOT NULL", turn)
        assert len(kept) == min(2, play.platform.files_at_once)


class WithTools(Asking):
    """A reply with a web search, a citation, and a file that code has made."""

    def script(self, play: Play, variant: str) -> Script:
        file = {"name": f"{variant}.txt", "media_type": "text/plain", "text": play.words(variant)}
        blocks: list[dict[str, Any]] = [
            {"type": "web_search", "query": play.name, "results": [PAGE]},
            {"type": "code", "command": "make it", "stdout": "ok", "files": [file]},
            {"type": "text", "text": play.words(variant), "citations": [{"result": 0, "cited_text": "one"}]},
            {"type": "text", "text": "."},
        ]
        return Script(blocks=blocks, strict=True)

    async def judge(self, play: Play, heard: bool) -> None:
        link = f" ([1](<{PAGE['url']}>))."
        said = play.expect([play.words("a") + link, play.words("b") + link], messages=2)
        variant = "a" if said.startswith(play.words("a")) else "b"
        assert play.files() == {f"{variant}.txt": play.words(variant)}


class WithCode(Asking):
    """A reply with a code block so long that it is folded into a file."""

    def script(self, play: Play, variant: str) -> Script:
        return Script(text=self._text(play, variant), deltas=20)

    async def judge(self, play: Play, heard: bool) -> None:
        wanted = {fold(self._text(play, variant), FOLD).text: variant for variant in "ab"}
        variant = wanted[play.expect(wanted, messages=2)]
        assert play.files() == {"code-1.py": self._code(play, variant)}

    def _text(self, play: Play, variant: str) -> str:
        return f"{play.words(variant)}\n\n```python\n{self._code(play, variant)}```\n\nSo it is."

    def _code(self, play: Play, variant: str) -> str:
        return "".join(f"print('{word}')\n" for word in play.words(variant, 40).split())


class Waiting(Asking):
    """A question that waits behind another one, with the sign that it was seen."""

    async def begin(self, play: Play) -> None:
        play.teach(Script(text=play.words("c")), match="second")
        play.teach(slow(play, "a", 1.5), self.script(play, "b"))
        await play.ask()
        await play.half()

    async def go(self, play: Play) -> None:
        said = await play.platform.go_on("user2", play.asked.place, f"{play.name} second")
        play.given, play.waits = said.key, said.message

    async def over(self, play: Play) -> None:
        await until(lambda: play.taken())
        await play.rest()

    async def judge(self, play: Play, heard: bool) -> None:
        play.expect([f"{long(play, 'a')} {play.words('c')}", f"{play.words('b')} {play.words('c')}"], messages=2)
        await play.see(lambda: not play.platform.signs(play.waits))


def long(play: Play, variant: str) -> str:
    """A text that takes its time."""
    return play.words(variant, 100)


def slow(play: Play, variant: str, seconds: float) -> Script:
    """An answer that can be seen to grow for so many seconds."""
    return Script(text=long(play, variant), deltas=40, seconds=seconds)


def _picture() -> bytes:
    data = BytesIO()
    Image.new("RGB", (8, 8), "red").save(data, "PNG")
    return data.getvalue()


def _file(name: str, media_type: str, data: bytes) -> dict[str, str]:
    return {"name": name, "media_type": media_type, "content_base64": base64.b64encode(data).decode()}
