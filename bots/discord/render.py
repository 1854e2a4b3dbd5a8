"""Turn Markdown into the part of it that Discord shows, with nothing in it that Discord would take for more than text."""

from __future__ import annotations

import re

from shared.markdown import MENTION, Fence, Kind, is_blank, lines
from shared.tables import table

# Reading a member from its class is slow in Python 3.11, and this is done for every line of every preview.
_PLAIN = (Kind.TEXT, Kind.BLANK, Kind.ROW)
_TABLE, _CODE, _CLOSE = Kind.TABLE, Kind.CODE, Kind.CLOSE

TABLE_WIDTH = 72
"""The widest table, in columns of a fixed-width font, that is shown aligned: more wraps in a narrow Discord window."""

LIMIT = 2000
"""The longest content of a message, in code points (Discord developer docs, Create Message; discord-api-docs#1315)."""

_ZERO_WIDTH = "\u200b"
_RULE = "───"
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HEADING = re.compile(r"[ \t]*+#{4,6}[ \t]++")
_QUOTE = re.compile(r"[ \t]*+>[> \t]*+")
_TASK = re.compile(r"([ \t]*+(?:[-*+]|\d{1,9}[.)])[ \t]++)\[([ xX])\](?=[ \t])")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]++")
_TICKS = re.compile("`+")
_ADDRESS = r"\(<?([^()\s<>]*+(?:\([^()\s]*+\)[^()\s<>]*+)*+)>?(?:[ \t]++\"[^\"\n]*+\")?+[ \t]*+\)"
_LABEL = r"[^\[\]\n]*+(?:\[[^\[\]\n]*+\][^\[\]\n]*+)*+"
_SPECIAL = re.compile(rf"!\[({_LABEL})\]{_ADDRESS}|\[({_LABEL})\]{_ADDRESS}|<{MENTION.pattern[1:]}|@everyone|@here")
_PING = re.compile(rf"<(?={MENTION.pattern[1:]})|@(?=everyone|here)")
_DELIMITER = re.compile(r"^[ \t]*+\|[ \t]*+:?-", re.MULTILINE)
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_HOST = re.compile(
    r"(?:[a-z][a-z0-9+.-]*+://)?+(?:[^\s/@]*+@)?+((?:[\w-]++\.)++[a-z]{2,}|(?<=//)[^\s/]++)(?=[/:?#\s]|\Z)", re.IGNORECASE
)
_FILE = re.compile(
    r"[\w.-]+\.(?:c|cfg|cpp|css|csv|go|h|html|ini|java|js|json|lock|log|md|pdf|py|rs|sh|toml|ts|txt|ya?ml)", re.IGNORECASE
)
_LONGEST_ADDRESS = 300


def render(markdown: str) -> str:
    """Return `markdown` as Discord's content. Pure; takes linear time; the result may be longer than `LIMIT`.

    Headings below the third level become bold lines, tables aligned text, images links, quotes one level deep. Discord
    knows none of these (Discord help centre, "Markdown Text 101"). Mentions, commands, times and emoji are made to read
    as plain text, and a link whose label looks like another address shows its true one. The inside of code fences is
    left as it is, but for control characters, which are replaced everywhere. A fence left open is closed.
    """
    text = _clean(markdown)
    out: list[str] = []
    prose: list[str] = []
    rows: list[str] = []
    fence: Fence | None = None
    for start, end, kind, its_fence in lines(text):
        source = text[start:end]
        if rows and kind is not _TABLE:
            _end_table(rows, out, prose)
        if kind in _PLAIN:
            fence = None
            prose.append(source)
        elif kind is _TABLE:
            rows.append(source)
        elif its_fence is not None:
            _end_prose(prose, out)
            out.append(source if kind is _CODE else _fence_line(source, kind, its_fence))
            fence = None if kind is _CLOSE else its_fence
        else:
            fence = None
            prose.append(_line(source, kind))
    if rows:
        _end_table(rows, out, prose)
    _end_prose(prose, out)
    if fence is not None:
        if out[-1] == "":
            out.pop()
        out.append(_mark(fence, fence.closing))
    return "\n".join(out)


def fits(markdown: str) -> bool:
    """Say whether `markdown`, once rendered, is short enough for one message of Discord."""
    if _DELIMITER.search(markdown) is None and _length_at_most(markdown) <= LIMIT:
        return True
    return len(render(markdown)) <= LIMIT


def _length_at_most(markdown: str) -> int:
    """Return a bound on the rendered length of a text without tables, found faster than by rendering it."""
    grows = markdown.count(">") + 2 * markdown.count("@")
    if "```" in markdown or "~~~" in markdown:
        grows += 1 + max(len(line) for line in markdown.split("\n") if "```" in line or "~~~" in line)
    if not markdown.isascii():
        grows += len(_BIDI.findall(markdown))
    return len(markdown) + grows


def _clean(text: str) -> str:
    """Replace what Discord could not show, and close or drop marks of direction that stand alone in their line."""
    if not _UNWANTED.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub("\ufffd", text)
    if not _BIDI.search(text):
        return text
    return "\n".join(_balance(line) for line in text.split("\n"))


def _balance(line: str) -> str:
    """Pair the marks of direction in one line (UAX #9: an isolate is ended by PDI, an embedding by PDF)."""
    closers: list[str] = []

    def pair(found: re.Match[str]) -> str:
        mark = found[0]
        if mark in "\u202c\u2069":
            if closers and closers[-1] == mark:
                return closers.pop()
            return ""
        closers.append("\u2069" if mark >= "\u2066" else "\u202c")
        return mark

    paired = _BIDI.sub(pair, line)
    return paired + "".join(reversed(closers))


def _fence_line(source: str, kind: Kind, fence: Fence) -> str:
    if kind is Kind.CLOSE:
        return _mark(fence, source)
    language = _LANGUAGE.fullmatch(fence.info.split()[0]) if fence.info.strip() else None
    return _mark(fence, fence.closing) + (language[0] if language else "")


def _mark(fence: Fence, line: str) -> str:
    """Write a fence with backticks: Discord knows no other."""
    return line.replace("~", "`") if fence.mark[0] == "~" else line


def _line(source: str, kind: Kind) -> str:
    if kind is Kind.RULE:
        return _RULE
    if kind is Kind.HEADING:
        found = _HEADING.match(source)
        return _bold(source, source[found.end() :].rstrip()) if found else source
    elif kind is Kind.QUOTE:
        found = _QUOTE.match(source)
        return f"> {source[found.end() :]}" if found else source
    elif kind is Kind.ITEM:
        return _TASK.sub(lambda task: task[1] + ("☐" if task[2] == " " else "☑"), source)
    return source


def _bold(source: str, title: str) -> str:
    open_end = title.rstrip("#")
    if not open_end or open_end[-1] in " \t":
        title = open_end.rstrip()
    title = title.replace("**", "")
    return source if is_blank(title) else f"**{title}**"


def _end_table(rows: list[str], out: list[str], prose: list[str]) -> None:
    shown = table(tuple(rows), TABLE_WIDTH)
    if shown.aligned:
        _end_prose(prose, out)
        out += ["```", *shown.lines, "```"]
    else:
        prose.extend(shown.lines)
    rows.clear()


def _end_prose(prose: list[str], out: list[str]) -> None:
    if prose:
        out.append(_inline("\n".join(prose)))
        prose.clear()


def _inline(text: str) -> str:
    """Render the markup between lines of code; what stands in backticks is left as it is."""
    if "`" not in text:
        return _SPECIAL.sub(_special, text)
    out: list[str] = []
    at = 0
    for start, end in _code_spans(text):
        out.append(_SPECIAL.sub(_special, text[at:start]))
        out.append(text[start:end])
        at = end
    out.append(_SPECIAL.sub(_special, text[at:]))
    return "".join(out)


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Return the stretches in backticks, each within one paragraph."""
    runs = [found.span() for found in _TICKS.finditer(text)]
    following: list[int] = [-1] * len(runs)
    seen: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        width = runs[index][1] - runs[index][0]
        following[index] = seen.get(width, -1)
        seen[width] = index
    spans: list[tuple[int, int]] = []
    index, paragraph = 0, -1
    while index < len(runs):
        start, end = runs[index]
        if paragraph < end:
            found = text.find("\n\n", end)
            paragraph = len(text) if found < 0 else found
        closing = following[index]
        if closing >= 0 and runs[closing][1] <= paragraph:
            spans.append((start, runs[closing][1]))
            index = closing
        index += 1
    return spans


def _special(found: re.Match[str]) -> str:
    whole = found[0]
    if whole[0] == "<":
        return "<" + _ZERO_WIDTH + whole[1:]
    if whole[0] == "@":
        return "%40" + whole[1:] if _in_address(found.string, found.start()) else "@" + _ZERO_WIDTH + whole[1:]
    image = whole[0] == "!"
    label, address = (found[1], found[2]) if image else (found[3], found[4])
    return _link(label, address, "" if image else whole)


def _link(label: str, address: str, whole: str) -> str:
    safe = _PING.sub(lambda ping: ping[0] + _ZERO_WIDTH, label)
    target = address.replace("@everyone", "%40everyone").replace("@here", "%40here")
    if is_blank(label):
        return target
    if not _SCHEME.match(address):
        return f"{safe} ({target})" if target and not target.startswith("#") else safe
    if _pretends(label, address):
        return f"{safe} ({target})"
    if whole and safe == label and target == address:
        return whole
    return f"[{safe}]({target})"


def _pretends(label: str, address: str) -> bool:
    """Say whether `label` reads like the address of another host than `address` leads to."""
    for word in label[:_LONGEST_ADDRESS].split():
        bare = word.strip("*_`~|<>()[]\"',;")
        if ("." in bare or "://" in bare) and not _FILE.fullmatch(bare) and (seems := _host(bare)) and seems != _host(address):
            return True
    return False


def _host(address: str) -> str:
    found = _HOST.match(address)
    return found[1].lower().removeprefix("www.") if found else ""


def _in_address(text: str, at: int) -> bool:
    start = max(0, at - _LONGEST_ADDRESS)
    words = text[start:at].split()
    return bool(words) and not text[at - 1].isspace() and "://" in words[-1]
