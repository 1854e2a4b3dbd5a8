"""Files: those of people go along, those that the model makes are kept."""

from pathlib import Path

from sandbox.claude_web import ClaudeWebSimulator, Config, Script
from sandbox.faults import Rule
from shared.backends import Made, Said
from shared.backends.claude_web import made
from shared.backends.claude_web.attached import MOST
from shared.files.blobs import Blobs
from tests.shared.backends.samples import image, pdf, text_file
from tests.shared.backends.web import asking, branch, exchange, finished, opened

STRICT = Config(uploads_need_conversation=True)
OUTPUTS = made.OUTPUTS


def names(web: ClaudeWebSimulator) -> list[str]:
    """The names of the files that the last question has with it."""
    return [str(file["file_name"]) for file in branch(web)[-1].files]


async def test_pictures_and_documents_are_uploaded_and_texts_attached(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator(STRICT) as web, opened(web, blobs) as backend:
        picture, document = await image(blobs, "photo.png"), await pdf(blobs, "paper.pdf")
        ask = Said("user", "see", files=(picture, document, text_file("notes.txt", "remember the milk")))
        one = await finished(backend, asking("", ask=(ask,)))
        assert names(web) == ["photo.png", "paper.pdf"]
        assert [file.content_type for file in web.files.values()] == ["image/png", "application/pdf"]
        assert next(iter(web.files.values())).data == await blobs.read(picture.digest)
        (attached,) = branch(web)[-1].attachments
        assert (attached["file_name"], attached["extracted_content"]) == ("notes.txt", "remember the milk")
        await finished(backend, asking("two", ask, Said("assistant", one.text, one.blocks), turn=2))
        assert names(web) == []
        assert len(web.files) == 2


async def test_files_of_a_history_that_claude_does_not_know_are_brought_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator(STRICT) as web, opened(web, blobs) as backend:
        ask = Said("user", "see", files=(await image(blobs, "photo.png"),))
        one = await finished(backend, asking("", ask=(ask,)))
        web.conversations.clear()
        await finished(backend, asking("two", ask, Said("assistant", one.text, one.blocks), turn=2))
        assert names(web) == ["photo.png"]
        assert len(web.files) == 2


async def test_a_file_that_is_no_longer_kept_is_named(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator(STRICT) as web, opened(web, blobs) as backend:
        picture = await image(blobs, "photo.png")
        blobs.path(picture.digest).unlink()
        await finished(backend, asking("", ask=(Said("user", "see", files=(picture,)),)))
        assert branch(web)[-1].text == "[The file photo.png is no longer kept.]\n\nsee"


async def test_only_the_newest_files_go_along(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator(STRICT) as web, opened(web, blobs) as backend:
        pictures = [await image(blobs, f"{number}.png", shade=number) for number in range(MOST + 2)]
        await finished(backend, asking("", ask=(Said("user", "see", files=pictures),)))
        assert names(web) == [f"{number}.png" for number in range(2, MOST + 2)]
        assert branch(web)[-1].text.startswith("[The oldest files are no longer shown.]")


async def test_a_file_is_uploaded_once_however_often_it_is_asked(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator(STRICT) as web, opened(web, blobs) as backend:
        web.script(Script(status=529), times=2)
        await finished(backend, asking("", ask=(Said("user", "see", files=(await image(blobs, "photo.png"),)),)))
        assert len(web.asked()) == 3
        assert len(web.files) == 1
        assert names(web) == ["photo.png"]


async def test_an_upload_that_fails_for_the_moment_is_made_again(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator(STRICT) as web, opened(web, blobs) as backend:
        web.faults.set(Rule("status", path="upload-file", status=503, times=1))
        await finished(backend, asking("", ask=(Said("user", "see", files=(await image(blobs, "photo.png"),)),)))
        assert names(web) == ["photo.png"]


async def test_files_that_the_model_makes_are_kept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator() as web, opened(web, blobs) as backend:
        text = f"Here: [table](computer://{OUTPUTS}/table.csv) and {OUTPUTS}/missing.txt."
        web.script(Script(text=text, tool="bash_tool", files={"table.csv": "a,b\n1,2\n", "other.txt": "unnamed"}))
        end = await finished(backend, asking("make a table"))
        (file,) = end.files
        assert (file.name, file.media_type, file.size) == ("table.csv", "text/csv", 8)
        assert await blobs.read(file.blob) == b"a,b\n1,2\n"
        await finished(backend, asking("next", *exchange("make a table", end), turn=2))


async def test_files_of_an_answer_that_is_adopted_are_kept_as_well(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator() as web:
        web.script(Script(text=f"Here: {OUTPUTS}/table.csv", tool="bash_tool", files={"table.csv": "a"}))
        async with opened(web, blobs) as backend:
            lost = await finished(backend, asking("make a table"))
        async with opened(web, blobs) as backend:
            assert await finished(backend, asking("make a table", attempt=2, crashes=1)) == lost
        assert [type(file) for file in lost.files] == [Made]


async def test_a_file_that_is_too_large_and_one_too_many_are_left(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    async with ClaudeWebSimulator() as web, opened(web, blobs, made_files=2, made_bytes=3) as backend:
        text = " ".join(f"{OUTPUTS}/{name}" for name in ("large.txt", "small.txt", "third.txt"))
        web.script(Script(text=text, tool="repl", files={"large.txt": "1234", "small.txt": "1", "third.txt": "3"}))
        end = await finished(backend, asking("make files"))
        assert [file.name for file in end.files] == ["small.txt"]


async def test_without_a_tool_no_file_is_looked_for() -> None:
    async with ClaudeWebSimulator() as web, opened(web) as backend:
        web.script(Script(text=f"It would be in {OUTPUTS}/table.csv", files={"table.csv": "a"}))
        assert (await finished(backend, asking("where?"))).files == []
        assert web.calls.matching("GET", "download-file") == []


def test_places_are_only_files_of_the_folder_for_results() -> None:
    worked = [f"{OUTPUTS}/my report.pdf", f"cp x.png {OUTPUTS}/x.png && ls {OUTPUTS}/", "nothing here"]
    said = f"{OUTPUTS}/table.csv, see computer://{OUTPUTS}/a%20b.txt. {OUTPUTS}/../../etc/passwd and {OUTPUTS}/sub/c.txt"
    assert made.places(worked, said) == [
        f"{OUTPUTS}/my report.pdf",
        f"{OUTPUTS}/x.png",
        f"{OUTPUTS}/table.csv",
        f"{OUTPUTS}/a b.txt",
        f"{OUTPUTS}/sub/c.txt",
    ]


def test_what_tools_were_given_and_gave_back_is_looked_at() -> None:
    content = [
        {"type": "text", "text": "said"},
        {"type": "tool_use", "input": {"filepaths": ["given"]}},
        {"type": "tool_result", "content": [{"type": "local_resource", "file_path": "got"}]},
    ]
    texts = list(made.worked({"content": content}))
    assert [text for text in texts if text in ("said", "given", "got")] == ["given", "got"]
