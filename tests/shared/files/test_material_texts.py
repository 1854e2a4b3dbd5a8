"""Text of every encoding, table and program, and how much of it is taken."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.files.texts import decode
from tests.shared.files import filing
from tests.shared.files.filing import refused

GERMAN = "name;stadt;preis\nMüller;Köln;12,50 €\nGroß;Düsseldorf;3,20 €\n"
JAPANESE = "こんにちは、世界。これは日本語のテキストです。添付ファイルのテスト。"
RUSSIAN = "Привет, мир. Это русский текст для проверки кодировки."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((GERMAN, encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")),
        ("El niño comió piñas mañana en España. ¿Qué tal?", "latin-1"),
        ("Le garçon a mangé une crème brûlée à l’hôtel.", "cp1252"),
        ("naïve café", "latin-1"),
        ("price: 5£\n", "latin-1"),
        ("x" * 50 + "é", "latin-1"),
        ("def f():\n    # größe\n    return 1\n", "latin-1"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
        ("Zażółć gęślą jaźń. Dzień dobry, świecie!", "iso8859-2"),
        *((RUSSIAN, encoding) for encoding in ("cp1251", "koi8-r", "cp866", "utf-16")),
        ("имя;город\nИван;Москва\nОльга;Казань\n", "cp1251"),
        ("Καλημέρα κόσμε. Αυτό είναι ένα ελληνικό κείμενο.", "cp1253"),
        ("مرحبا بالعالم. هذا نص عربي للاختبار.", "cp1256"),
        ("Merhaba dünya. Türkçe bir metin: ığüşöç İstanbul.", "cp1254"),
        ("สวัสดีชาวโลก นี่คือข้อความภาษาไทย", "cp874"),
        *((JAPANESE, encoding) for encoding in ("shift_jis", "euc_jp", "iso2022_jp", "utf-16", "utf-8")),
        ("名前,年齢\n山田,30\n鈴木,25\n", "shift_jis"),
        ("# 設定\nx = 1  # 値を返す\nprint('はい')\n", "shift_jis"),
        ("你好,世界。这是一个中文文本文件,用于测试编码检测。", "gb18030"),
        ("姓名,年龄\n张三,30\n李四,25\n", "gb18030"),
        ("你好,世界。這是一個中文文字檔案,用於測試編碼偵測。", "big5"),
        ("안녕하세요, 세계. 이것은 한국어 텍스트 파일입니다.", "euc_kr"),
    ],
)
async def test_text_is_read_in_whatever_encoding_it_was_written(tmp_path: Path, text: str, encoding: str) -> None:
    material = await filing.given(tmp_path, text.encode(encoding), "notes.csv", "text/csv")
    assert (material.kind, material.media_type, material.text) == ("text", "text/plain", text)
    assert (material.size, material.cut, material.digest) == (len(text.encode()), False, "")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2, "ü"]}',
        "<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'><rect/></svg>",
        "a,b\n1,2\n",
        "\x1b[31mred\x1b[0m line of a log\n",
        "page one\fpage two",
        "x",
    ],
)
async def test_whatever_can_be_read_is_text(tmp_path: Path, text: str) -> None:
    assert (await filing.given(tmp_path, text.encode(), "x.bin", "application/octet-stream")).text == text


async def test_line_ends_are_made_the_same(tmp_path: Path) -> None:
    assert (await filing.given(tmp_path, b"one\r\ntwo\rthree\n")).text == "one\ntwo\nthree\n"


async def test_a_declared_charset_helps_where_the_bytes_leave_it_open(tmp_path: Path) -> None:
    data = "שלום".encode("cp1255")
    assert (await filing.given(tmp_path, data, media_type='text/plain; charset="windows-1255"')).text == "שלום"


@pytest.mark.parametrize("charset", ["punycode", "zlib", "rot13", "unicode_escape", "none-such", "", "utf-7"])
async def test_a_declared_charset_that_nobody_uses_is_not_believed(tmp_path: Path, charset: str) -> None:
    data = "Müller".encode("latin-1")
    assert (await filing.given(tmp_path, data, media_type=f"text/plain; charset={charset}")).text == "Müller"


async def test_a_declared_charset_is_not_believed_against_the_bytes(tmp_path: Path) -> None:
    assert (await filing.given(tmp_path, "Müller".encode(), media_type="text/plain; charset=windows-1251")).text == "Müller"


async def test_a_few_broken_bytes_do_not_make_another_encoding_of_utf_8(tmp_path: Path) -> None:
    data = RUSSIAN.encode() + b"\xff" + RUSSIAN.encode()
    assert (await filing.given(tmp_path, data)).text == RUSSIAN + "\ufffd" + RUSSIAN


async def test_a_letter_beyond_ascii_far_into_a_file_is_found(tmp_path: Path) -> None:
    text = "plain line\n" * 9000 + "Müller\n"
    assert (await filing.given(tmp_path, text.encode("latin-1"))).text == text


async def test_the_lines_that_tell_the_encoding_may_come_late(tmp_path: Path) -> None:
    text = "plain line\n" * 8000 + (RUSSIAN + "\n") * 20
    assert (await filing.given(tmp_path, text.encode("cp1251"))).text == text


@pytest.mark.parametrize("text", ["Привет, мир\n" * 3000, *("x" * off + "你好世界测试" * 4000 for off in range(4))])
async def test_a_text_that_says_the_same_again_and_again_is_read(tmp_path: Path, text: str) -> None:
    data = text.encode("cp1251" if "П" in text else "gb18030")
    assert (await filing.given(tmp_path, data)).text == text


async def test_a_long_text_is_cut_and_says_so_to_the_model_and_to_us(tmp_path: Path) -> None:
    text = "0123456789" * 30
    material = await filing.given(tmp_path, text.encode(), most=100)
    assert material.cut
    said = "\n[The file goes on. These are its first 100 characters; it has 300 bytes. The rest was not given to you.]"
    assert material.text == text[:100] + said
    assert material.size == len(material.text.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "shift_jis", "cp1251", "gb18030"])
@pytest.mark.parametrize("most", [50, 51, 53])
async def test_a_text_is_cut_between_characters(tmp_path: Path, encoding: str, most: int) -> None:
    text = (RUSSIAN if encoding == "cp1251" else JAPANESE) * 20
    material = await filing.given(tmp_path, text.encode(encoding), most=most)
    assert material.text.startswith(text[:most] + "\n[The file goes on.")


@pytest.mark.parametrize("length", [99, 100, 101])
async def test_a_text_of_just_the_limit_is_whole(tmp_path: Path, length: int) -> None:
    material = await filing.given(tmp_path, ("ü" * length).encode(), most=100)
    assert material.cut == (length > 100)


@pytest.mark.parametrize(
    "data", [b"a\0b", b"\x01\x02\x03\x04", b"\xff\xfe\x00\xd8" * 20, b"MZ\x90\0\x03\0\0\0", b"\x00\x01" * 40]
)
async def test_what_only_looks_like_text_is_refused(tmp_path: Path, data: bytes) -> None:
    assert await refused(tmp_path, data, "x.txt", "text/plain") == "type"


@given(st.text())
@example("\ufeffx")
def test_any_text_without_control_characters_survives_utf_8(text: str) -> None:
    visible = "".join(
        each for each in text if each >= " " and not "\x7f" <= each <= "\x9f" and each not in "\ufeff\ufffd\ufffe\uffff"
    )
    assert decode(visible.encode()) == visible


@given(data=st.binary(max_size=400), whole=st.booleans())
@example(data=b"\x1b$B\xff", whole=True)
@example(data=b"\x80", whole=False)
@example(data=b"\xef\xbb\xbf\xff\xff\xff", whole=True)
def test_any_bytes_are_text_or_not_and_nothing_else_happens(data: bytes, whole: bool) -> None:
    text = decode(data, whole=whole)
    if text is not None:
        text.encode()
        assert "\0" not in text


async def test_many_texts_are_read_at_once(tmp_path: Path) -> None:
    texts = [f"{number} {RUSSIAN}" for number in range(8)]
    made = await asyncio.gather(*(filing.given(tmp_path, text.encode("cp1251")) for text in texts))
    assert [material.text for material in made] == texts
