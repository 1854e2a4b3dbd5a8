"""What kind a file is, what it is called, and that nothing a person sends does more than be refused."""

import asyncio
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.errors import Gone, Unavailable
from shared.files.blobs import Blob, Blobs
from shared.files.kinds import Kind, image_format, kind
from shared.files.material import NAME, Material, prepare, safe_name
from shared.files.unfit import Reason, Unfit
from tests.shared.files import filing
from tests.shared.files.filing import encoded, halves, refused

MAGIC = (
    *(b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"BM\0\0\0\0\0\0\0\0", b"II*\0", b"MM\0*"),
    *(
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
        b"%PDF-1.7\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xff\xfe\0\0",
        b"\x1b$B",
    ),
)


@pytest.mark.parametrize(
    ("head", "declared", "expected"),
    [
        (b"\xff\xd8\xff\xe1rest", "text/plain", "image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "", "image"),
        (b"BM\x36\x30\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "", "image"),
        (b"BMW is a maker of cars.", "image/bmp", "text"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "", "image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic", "binary"),
        (b"\n %PDF-1.4", "image/png", "pdf"),
        (b"A text on %PDF-1.4", "application/pdf", "text"),
        (b"ID3\x04\0\0\0\0\0\0", "", "audio"),
        (b"ID3 is a kind of tag.", "audio/mpeg", "text"),
        (b"\xff\xfb\x90\x64\0", "", "audio"),
        (b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead", "audio/ogg", "audio"),
        (b"OggS\0\x02" + bytes(22) + b"\x01\x2a\x80theora", "", "video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "", "audio"),
        (b"RIFF\0\0\0\0AVI LIST", "", "video"),
        (b"FORM\0\0\0\0AIFFCOMM", "", "audio"),
        (b"fLaC\0\0\0\x22", "", "audio"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", "video/mp4", "video"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom", "", "audio"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41", "audio/mp4", "audio"),
        (b"\x1a\x45\xdf\xa3\x01", "video/webm", "video"),
        (b"\x1a\x45\xdf\xa3\x01", "audio/webm", "audio"),
        (b"PK\x03\x04\x14\0", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "binary"),
        (b"\x7fELF\x02\x01", "", "binary"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "text"),
        (b"#!/bin/sh", "", "text"),
        (b"", "", "text"),
    ],
)
def test_the_bytes_decide_what_kind_a_file_is(head: bytes, declared: str, expected: Kind) -> None:
    assert kind(head, declared) == expected
    assert (image_format(head) is not None) == (expected == "image")


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        (b"", "text/plain", "empty"),
        (b" \r\n\t", "text/plain", "empty"),
        (b"\xef\xbb\xbf", "text/plain", "empty"),
        (b"PK\x03\x04" + bytes(40), "application/zip", "type"),
        (bytes(100), "application/octet-stream", "type"),
        (bytes(range(256)), "text/plain", "type"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(80), "image/heic", "type"),
        (b"ID3\x04\0\0\0\0\0\0" + bytes(80), "text/plain", "audio"),
        (b"OggS\0\x02" + bytes(80), "audio/ogg", "audio"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41" + bytes(80), "video/mp4", "video"),
        (b"\x47\x40\0\x10" + bytes(200), "video/mp2t", "video"),
        (b"\0unknown\0", "audio/x-rare", "audio"),
        (b"\x89PNG\r\n\x1a\nrubbish", "image/png", "broken"),
        (b"%PDF-1.7\nrubbish", "application/pdf", "broken"),
    ],
)
async def test_what_the_model_cannot_be_given_is_refused_with_its_reason(
    tmp_path: Path, data: bytes, declared: str, reason: Reason
) -> None:
    assert await refused(tmp_path, data, media_type=declared) == reason


async def test_a_picture_that_is_called_a_text_is_a_picture(tmp_path: Path) -> None:
    material = await filing.given(tmp_path, encoded(halves(), "PNG"), "../../notes.txt", "text/plain")
    assert (material.kind, material.name, material.media_type) == ("image", "notes.txt", "image/png")


async def test_a_text_that_is_called_a_picture_is_a_text(tmp_path: Path) -> None:
    material = await filing.given(tmp_path, b"Hello", "cat.png", "image/png")
    assert material == Material("text", "cat.png", "text/plain", 5, text="Hello")


async def test_the_same_file_gives_the_same_material_each_time(tmp_path: Path) -> None:
    for data in (encoded(filing.noise("RGB", 300, 200), "JPEG"), b"text", encoded(halves("RGBA"), "WEBP")):
        assert await filing.given(tmp_path / "one", data) == await filing.given(tmp_path / "two", data)


async def test_many_files_at_once_are_all_made_fit(tmp_path: Path) -> None:
    pictures = [encoded(filing.noise("RGB", 200, 100, seed), "JPEG") for seed in range(8)]
    made = await asyncio.gather(*(filing.given(tmp_path, data) for data in pictures))
    assert len({material.digest for material in made}) == 8


async def test_a_file_that_is_no_longer_kept_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Gone):
        await prepare(Blobs(tmp_path), Blob("0" * 64, 5), name="x", media_type="text/plain")


async def test_a_disk_that_fails_is_a_failure_of_ours(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(Unavailable):
        await prepare(Blobs(tmp_path / "taken"), Blob("0" * 64, 5), name="x", media_type="text/plain")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    head=st.sampled_from([b"", *MAGIC]),
    rest=st.binary(max_size=300),
    declared=st.sampled_from(["", "audio/x", "text/plain; charset=big5"]),
)
def test_any_bytes_are_made_fit_or_refused_and_nothing_else_happens(head: bytes, rest: bytes, declared: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            material = asyncio.run(filing.given(Path(folder), head + rest, "x", declared, most=100))
        except Unfit:
            return
        assert material.size > 0
        assert bool(material.text) != bool(material.digest)
        material.text.encode()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("a/b/", "b"),
        ("..", "file"),
        ("", "file"),
        (".env", ".env"),
        ("two\nlines\t.txt", "two lines .txt"),
        ("bell\x07\x1b[31m.txt", "bell[31m.txt"),
        ("harmless\u202egpj.exe", "harmlessgpj.exe"),
        ("名前 ✓.csv", "名前 ✓.csv"),
        ("x" * 100 + ".tar.gz", "x" * 76 + "….gz"),
        ("x" * 100, "x" * 79 + "…"),
        ("a." + "b" * 200, "a." + "b" * 77 + "…"),
        ("\ud800.txt", ".txt"),
    ],
)
def test_a_name_is_made_safe_to_show(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
@example("." * 90 + "/" + " " * 90)
@example("a" * 69 + "." * 20)
def test_any_name_becomes_one_short_line_without_a_path(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe) <= NAME
    assert "/" not in safe
    assert "\\" not in safe
    assert safe not in (".", "..")
    assert safe == safe.strip()
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in safe)
    assert safe_name(safe) == safe
    safe.encode()
