"""Text of any encoding made readable: source code, tables, logs, letters, whatever the file is called."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from shared.files.unfit import Unfit

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; the longer ones come first, since one is the beginning of another."""

_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859-2", "iso8859-15", "cp850", "cp437", "mac-roman")
_SCRIPTS = ("cp1251", "koi8-r", "cp866", "cp1253", "cp1255", "cp1256", "cp874")
_IDEOGRAPHS = ("cp932", "euc_jp", "gb18030", "big5", "cp949")
"""What people really use. Left to all it knows, the guesser finds rare scripts in French, and some codecs are slow."""

_SAMPLE = 32_768
"""Bytes that are looked at to guess an encoding."""

_STRAY = 0.02
"""Share of characters that no text contains from which on it is none."""

_CONTROLS = re.compile("[\0-\x07\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd\ufffe\uffff]")
_WORDS = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_LETTERS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœ"
_BETWEEN = "’—–…·\xa0\xad"
_ASIDE = "¡¿«»„“”‘€£§©®°±×µ²³½¼¾ªº•"
"""Signs of Western European text: those that may stand between two letters, and those that do not."""

_FOREIGN = re.compile(f"[^\0-\x7f{_LETTERS}{_BETWEEN}{_ASIDE}]|[{_LETTERS}]{{3}}|[A-Za-z{_LETTERS}][{_ASIDE}][A-Za-z{_LETTERS}]")


@dataclass(frozen=True, slots=True)
class Text:
    """What a file says. `cut` says that this is only its beginning."""

    text: str
    cut: bool


def read(path: Path, media_type: str, most: int) -> Text:
    """The text of a file, at most the first `most` characters, with plain line ends.

    `media_type` is what was declared; its charset is believed only if nothing in the bytes speaks against it.
    Raises `Unfit` ("type" if it is no text, "empty") and `OSError` if the file cannot be opened.
    """
    with path.open("rb") as file:
        # No encoding here takes more than four bytes for a character.
        data = file.read(4 * most + 4)
        whole = not file.read(1)
    text = decode(data, whole=whole, charset=_charset(media_type))
    if text is None:
        raise Unfit("type")
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if not plain.strip():
        raise Unfit("empty")
    return Text(plain[:most], cut=not whole or len(plain) > most)


def decode(data: bytes, *, whole: bool = True, charset: str | None = None) -> str | None:
    """The text that these bytes are, or None if they are none. Unless `whole`, a broken character at the end is left out.

    In this order: a byte order mark, UTF-8, UTF-16 by its zeros, UTF-8 with a few flaws, `charset`, a guess.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _flawed(data[len(mark) :], codec, whole)
    if b"\0" in data:
        return _wide(data, whole)
    if b"\x1b$B" in data or b"\x1b$@" in data:
        candidates: Iterable[str] = ("iso2022_jp_ext", "utf-8")
    else:
        candidates = ("utf-8",)
    text = _first(data, candidates, whole)
    if text is not None:
        return None if _strange(text) else text
    text = _mostly_utf8(data, whole) or _first(data, filter(None, [charset]), whole) or _guess(data, whole)
    return None if text is None or _strange(text) else text


def _charset(media_type: str) -> str | None:
    """The declared charset, if it is one that we would guess."""
    found = re.search(r"charset\s*=\s*\"?([\w.:-]{1,40})", media_type, re.IGNORECASE)
    if not found:
        return None
    try:
        name = codecs.lookup(found[1]).name
    except LookupError:
        return None
    return name if name in {codecs.lookup(each).name for each in (*_LATIN, *_SCRIPTS, *_IDEOGRAPHS)} else None


def _strict(data: bytes, codec: str, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, whole)
    except UnicodeError:
        return None


def _first(data: bytes, candidates: Iterable[str], whole: bool) -> str | None:
    return next((text for codec in candidates if (text := _strict(data, codec, whole)) is not None), None)


def _flawed(data: bytes, codec: str, whole: bool) -> str | None:
    text = codecs.getincrementaldecoder(codec)("replace").decode(data, whole)
    return None if _strange(text) else text


def _strange(text: str) -> bool:
    return sum(1 for _ in _CONTROLS.finditer(text)) > len(text) * _STRAY


def _wide(data: bytes, whole: bool) -> str | None:
    """UTF-16 without a mark: ASCII in it leaves a zero in every second byte, and none between."""
    head = data[:_SAMPLE]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > half * 0.3 and even <= half * _STRAY:
        codec = "utf-16-le"
    elif even > half * 0.3 and odd <= half * _STRAY:
        codec = "utf-16-be"
    else:
        return None
    return _flawed(data, codec, whole)


def _mostly_utf8(data: bytes, whole: bool) -> str | None:
    """A log or a list in which a few bytes are broken: other encodings are hardly ever valid UTF-8 by chance."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data, whole)
    broken = text.count("\ufffd")
    right = sum(1 for each in text if each > "\x7f") - broken
    return text if right >= 10 * broken else None


def _guess(data: bytes, whole: bool) -> str | None:
    sample = _telling(data)
    high = sum(1 for each in sample if each > 0x7F)
    return (
        (_strict(data, "cp1252", whole) if _western(sample) else None)
        or _asian(data, whole)
        or _first(data, _guessed(sample), whole)
        # Nothing fits all of it. What is mostly ASCII can still be read.
        or (codecs.decode(data, "cp1252", "replace") if high < len(sample) * 0.3 else None)
    )


def _telling(data: bytes) -> bytes:
    """The lines that say something about the encoding: those with bytes beyond ASCII."""
    if len(data) <= _SAMPLE:
        return data
    gathered = bytearray()
    for line in data.splitlines(keepends=True):
        if not line.isascii():
            gathered += line
        if len(gathered) >= _SAMPLE:
            break
    if len(gathered) <= _SAMPLE:
        return bytes(gathered)
    # Half a character at the end would speak against the right encoding. Those of two bytes agree on where it begins.
    cut = bytes(gathered[:_SAMPLE])
    decoder = codecs.getincrementaldecoder("gb18030")("replace")
    decoder.decode(cut)
    return cut[: len(cut) - len(decoder.getstate()[0])]


def _western(sample: bytes) -> bool:
    """Whether this reads well as Western European: single accented letters in words, signs between them.

    Statistics cannot tell this from Central European by a few letters. Hungarian alone would look so, and it has two letters
    that do not go together elsewhere.
    """
    text = _strict(sample, "cp1252", whole=True)
    return text is not None and not _FOREIGN.search(text) and not ("õ" in text and "û" in text)


def _asian(data: bytes, whole: bool) -> str | None:
    """Japanese shows itself by its syllables, Korean by having hardly anything else."""
    scripts = (("cp932", _KANA, 0.2), ("euc_jp", _KANA, 0.2), ("cp949", _HANGUL, 0.85))
    for codec, script, share in scripts[:2] if _japanese(data) else scripts:
        text = _strict(data, codec, whole)
        if text is not None:
            letters = sum(1 for each in text if each > "\x7f" and each.isalpha())
            if letters and len(script.findall(text)) >= share * letters:
                return text
    return None


def _japanese(data: bytes) -> bool:
    """Whether there are many of the bytes that Shift-JIS uses, and that Chinese and Korean hardly ever do."""
    sample = data[:_SAMPLE]
    return sum(1 for each in sample if 0x80 <= each <= 0xA0) > 0.05 * sum(1 for each in sample if each > 0x7F)


def _beyond_latin(sample: bytes) -> bool:
    """Whether whole words are beyond ASCII, and not single letters of them."""
    words = b"".join(_WORDS.findall(sample))
    return sum(1 for each in words if each > 0x7F) > 0.6 * len(words)


def _guessed(sample: bytes) -> list[str]:
    likely = (*(_SCRIPTS if _beyond_latin(sample) else _LATIN), *_IDEOGRAPHS)
    found = from_bytes(sample, cp_isolation=list(likely)).best()
    if found is None:
        return []
    if found.encoding != "cp949":
        return [found.encoding]
    # Korean would not have come so far: this is Chinese, or Japanese that is all names.
    return ["cp932", "gb18030"] if _japanese(sample) else ["gb18030", "cp949"]
