"""PDFs, made by pypdf, damaged by hand."""

import logging
import struct
import tempfile
import time
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, NumberObject

from shared.files.blobs import Blob, Blobs
from shared.files.documents import BYTES, PAGES, pages
from shared.files.unfit import Unfit
from tests.shared.files import filing
from tests.shared.files.filing import refused


def pdf(count: int, *, user: str | None = None, owner: str | None = None, says: int | None = None) -> bytes:
    writer = PdfWriter()
    for _ in range(count):
        writer.add_blank_page(100, 100)
    if user is not None:
        writer.encrypt(user, owner, algorithm="RC4-128")
    if says is not None:
        tree = writer.root_object["/Pages"].get_object()
        assert isinstance(tree, DictionaryObject)
        tree[NameObject("/Count")] = NumberObject(says)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_a_pdf_is_passed_on_as_it_is(tmp_path: Path) -> None:
    data = pdf(3)
    material = await filing.given(tmp_path, data, "../report.pdf", "application/octet-stream")
    assert (material.kind, material.name, material.media_type) == ("pdf", "report.pdf", "application/pdf")
    assert (material.pages, material.size, material.text) == (3, len(data), "")
    assert await Blobs(tmp_path).read(material.digest) == data


@pytest.mark.parametrize(("count", "reason"), [(PAGES, None), (PAGES + 1, "pages"), (PAGES * 11, "pages"), (0, "broken")])
async def test_a_pdf_of_too_many_pages_or_none_is_refused(tmp_path: Path, count: int, reason: str | None) -> None:
    assert await refused(tmp_path, pdf(count)) == reason


@pytest.mark.parametrize(("count", "says"), [(PAGES + 1, 1), (PAGES + 1, -5), (PAGES + 1, 0)])
async def test_a_pdf_that_understates_its_pages_is_counted(tmp_path: Path, count: int, says: int) -> None:
    assert await refused(tmp_path, pdf(count, says=says)) == "pages"


async def test_a_pdf_that_claims_a_million_pages_is_not_walked_through(tmp_path: Path) -> None:
    assert await refused(tmp_path, pdf(1, says=1_000_000)) == "pages"


@pytest.mark.parametrize(("user", "owner"), [("secret", "secret"), ("", "secret")])
async def test_an_encrypted_pdf_is_refused_also_if_it_opens_without_a_password(tmp_path: Path, user: str, owner: str) -> None:
    assert await refused(tmp_path, pdf(2, user=user, owner=owner)) == "encrypted"


async def test_a_pdf_of_which_only_the_beginning_came_is_refused(tmp_path: Path) -> None:
    data = pdf(5)
    assert await refused(tmp_path, data[:40]) == "broken"
    assert await refused(tmp_path, b"%PDF-1.7\n" + bytes(1000)) == "broken"


async def test_a_pdf_whose_pages_go_round_in_a_circle_is_refused(tmp_path: Path) -> None:
    data = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[2 0 R]>>endobj\n"
    assert await refused(tmp_path, data + b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF") == "broken"


def packed(padding: int) -> bytes:
    """A PDF of one page whose table of contents unpacks to this many bytes more than it needs."""
    body, starts = b"%PDF-1.5\n", list[int]()
    for entry in (
        b"2 0 obj<</Type/Catalog/Pages 3 0 R>>endobj\n",
        b"3 0 obj<</Type/Pages/Count 1/Kids[4 0 R]>>endobj\n",
        b"4 0 obj<</Type/Page/Parent 3 0 R/MediaBox[0 0 9 9]>>endobj\n",
    ):
        starts.append(len(body))
        body += entry
    rows = bytes(4) + b"".join(struct.pack(">BHB", 1, start, 0) for start in (len(body), *starts))
    table = zlib.compress(rows + bytes(padding), 9)
    head = b"1 0 obj<</Type/XRef/Size 5/W[1 2 1]/Root 2 0 R/Filter/FlateDecode/Length %d>>stream\n" % len(table)
    return body + head + table + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF" % len(body)


@pytest.mark.parametrize(("padding", "reason"), [(0, None), (2 * BYTES, "broken")])
async def test_a_pdf_that_unpacks_without_end_is_refused(tmp_path: Path, padding: int, reason: str | None) -> None:
    assert await refused(tmp_path, packed(padding)) == reason


async def test_a_pdf_that_fills_a_whole_request_is_refused(tmp_path: Path) -> None:
    assert await refused(tmp_path, pdf(1) + b"%" * BYTES) == "size"


def test_a_pdf_that_is_made_to_be_slow_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "slow.pdf"
    path.write_bytes(b"%PDF-1.4\n" + b"1 0 obj\n" * 2_000_000)
    began = time.thread_time()
    with pytest.raises(Unfit) as refusal:
        pages(path, seconds=0.2)
    assert refusal.value.reason == "broken"
    assert time.thread_time() - began < 5


async def test_flaws_of_a_pdf_are_no_lines_of_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await refused(tmp_path, pdf(1)[:-60]) == "broken"
        assert await refused(tmp_path, b"\n\n" + pdf(1)) is None
    assert caplog.records == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_damaged_pdf_is_taken_or_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    damaged = bytearray(pdf(3))
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(len(damaged) // 4, len(damaged))) :]
    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged)
        file.flush()
        try:
            assert 1 <= pages(Path(file.name)) <= PAGES
        except Unfit:
            return


async def test_a_pdf_stays_the_same_blob(tmp_path: Path) -> None:
    data = pdf(1)
    blob = await Blobs(tmp_path).put_bytes(data)
    material = await filing.given(tmp_path, data)
    assert Blob(material.digest, material.size) == blob
