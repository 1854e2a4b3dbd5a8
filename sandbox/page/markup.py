"""Texts as people see them, as trees: a node is a text, or an object with a kind `t`, its content `c`, and for links `href`.

The page builds elements of these and nothing else, so that no text can become anything but text.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Node = Any
"""A string or an object."""
Mention = Callable[[str], str | None]
"""Names what the inside of a `<…>` refers to, or nothing if it refers to nothing."""

TRIES = 40
"""How many possible ends of a mark are looked at. Without a bound a text of nothing but marks takes the square of its length."""
KEPT = 2_000
"""How many trees are kept: more than one view shows, or each would be made anew with each change."""
DEPTH = 12
"""Levels of nested markup. What is deeper stays as it was written."""
_LINK = re.compile(r"https?://[^\s<>\"`]+")
_LABELLED = re.compile(r"\[([^\[\]\n]{1,500})\]\(<?(https?://[^\s<>()]+(?:\([^\s()]*\)[^\s<>()]*)*)>?\)")
_TRAILING = ".,;:!?'\")]}*_~|"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a platform's markup knows. `marks` are pairs of signs and what they make, the longer signs first."""

    marks: Sequence[tuple[str, str]]
    mention: Mention = field(default=lambda _: None)
    quote: str = r"\s{0,3}> ?"
    """How a quoted line begins."""
    headings: int = 0
    """The deepest level of headings; 0 for none."""
    lists: bool = False
    tables: bool = False
    rules: bool = False
    links: bool = False
    """Whether `[label](address)` is a link."""
    small: bool = False
    """Whether a line that begins with `-#` is small."""
    escapes: bool = False
    """Whether a backslash takes a sign's meaning away."""
    entities: bool = False
    """Whether `&lt;`, `&gt;` and `&amp;` stand for signs."""


MARKDOWN = (("***", "strong em"), ("**", "strong"), ("__", "strong"), ("~~", "s"), ("*", "em"), ("_", "em"))
DISCORD = (("***", "strong em"), ("**", "strong"), ("__", "u"), ("~~", "s"), ("||", "spoiler"), ("*", "em"), ("_", "em"))
MRKDWN = (("*", "strong"), ("_", "em"), ("~", "s"))


def link(address: str, content: Sequence[Node]) -> Node:
    """A link, if the address is one that a browser should follow; else what it says."""
    if not re.match(r"https?://[^\s/]", address, re.IGNORECASE):
        return {"t": "span", "c": [*content]}
    return {"t": "a", "href": address, "c": [*content]}


def tree(text: str, dialect: Dialect, depth: int = 0) -> list[Node]:
    """The tree of a text. Raises nothing, whatever the text is."""
    return list(_blocks(text.replace("\r\n", "\n").split("\n"), dialect, depth))


def words(nodes: Sequence[Node]) -> str:
    """What a tree says, without its markup. What is hidden in it stays so."""
    return "".join(each if isinstance(each, str) else _word(each) for each in nodes)


def _word(node: Node) -> str:
    if node["t"] == "spoiler":
        return "(spoiler)"
    return f"{words(node.get('c', []))}{' ' * (node['t'] in _APART)}"


_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "th", "td", "pre", "quote", "small"})
"""What stands apart from what follows."""


def reader(dialect: Dialect) -> Callable[[str], list[Node]]:
    """Gives the trees of texts, and keeps the latest: a view is made anew with each change, and most texts are as before."""

    @lru_cache(KEPT)
    def read(text: str) -> list[Node]:
        return tree(text, dialect)

    return read


def _blocks(lines: list[str], dialect: Dialect, depth: int) -> Iterator[Node]:
    at, plain = 0, list[str]()
    while at < len(lines):
        taken, nodes = _block(lines, at, dialect, depth)
        if not taken:
            plain.append(lines[at])
            at += 1
            continue
        yield from _paragraph(plain, dialect, depth)
        plain.clear()
        yield from nodes
        at += taken
    yield from _paragraph(plain, dialect, depth)


def _paragraph(lines: list[str], dialect: Dialect, depth: int) -> Iterator[Node]:
    for text in re.split(r"\n\s*\n", "\n".join(lines)):
        if text.strip():
            yield {"t": "p", "c": inline(text.strip("\n"), dialect, depth)}


def _block(lines: list[str], at: int, dialect: Dialect, depth: int) -> tuple[int, list[Node]]:
    """How many lines a block takes, and what it is; none if a plain line is there."""
    line = lines[at]
    if (found := re.match(r"\s{0,3}```([^`\s]*)(.*)", line)) is not None:
        return _fence(lines, at, found, dialect)
    if depth >= DEPTH:
        return 0, []
    if dialect.small and line.startswith(">>> "):  # Discord's quote of all that follows
        return len(lines) - at, [{"t": "quote", "c": tree("\n".join([line[4:], *lines[at + 1 :]]), dialect, depth + 1)}]
    if re.match(dialect.quote, line):
        return _quote(lines, at, dialect, depth)
    if dialect.headings and (found := re.match(rf"(#{{1,{dialect.headings}}}) +(\S.*)", line)) is not None:
        return 1, [{"t": f"h{len(found[1])}", "c": inline(found[2].rstrip("# "), dialect, depth)}]
    if dialect.small and line.startswith("-# ") and line[3:].strip():
        return 1, [{"t": "small", "c": inline(line[3:], dialect, depth)}]
    if dialect.rules and re.fullmatch(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*", line):
        return 1, [{"t": "hr"}]
    if dialect.lists and (found := _ITEM.match(line)) is not None:
        return _list(lines, at, found, dialect, depth)
    if dialect.tables and "|" in line and at + 1 < len(lines) and _DASHES.fullmatch(lines[at + 1].strip()):
        return _table(lines, at, dialect, depth)
    return 0, []


def _fence(lines: list[str], at: int, found: re.Match[str], dialect: Dialect) -> tuple[int, list[Node]]:
    word, rest = found[1], found[2]
    end, last, after = at, "", ""
    if "```" in rest:  # code on one line
        last, _, after = f"{word}{rest}".partition("```")
        code, word = [last], ""
    else:
        code = [rest.strip()] if rest.strip() else []
        end = next((each for each in range(at + 1, len(lines)) if "```" in lines[each]), len(lines))
        code += lines[at + 1 : end]
        if end < len(lines):
            last, _, after = lines[end].partition("```")
            code += [last] if last.strip() else []
    node: Node = {"t": "pre"}
    if word and not dialect.entities and re.fullmatch(r"[\w.+#-]{1,30}", word):
        node["lang"] = word
    elif word:
        code.insert(0, word)
    text = "\n".join(code)
    node["c"] = [unescaped(text) if dialect.entities else text]
    nodes = [node, {"t": "p", "c": [after.strip()]}] if after.strip() else [node]
    return min(end + 1, len(lines)) - at, nodes


def _quote(lines: list[str], at: int, dialect: Dialect, depth: int) -> tuple[int, list[Node]]:
    inner: list[str] = []
    end = at
    while end < len(lines) and (found := re.match(dialect.quote, lines[end])) is not None:
        inner.append(lines[end][found.end() :])
        end += 1
    return end - at, [{"t": "quote", "c": tree("\n".join(inner), dialect, depth + 1)}]


_ITEM = re.compile(r"(\s*)(?:([-*+])|(\d{1,9})[.)]) +(\S.*)")


def _list(lines: list[str], at: int, first: re.Match[str], dialect: Dialect, depth: int) -> tuple[int, list[Node]]:
    margin, numbered = len(first[1]), first[3] is not None
    items: list[list[str]] = []
    end = at
    while end < len(lines):
        found = _ITEM.match(lines[end])
        if found is not None and len(found[1]) <= margin + 1:
            if len(found[1]) + 1 < margin or (found[3] is not None) != numbered:
                break
            items.append([found[4]])
        elif found is not None or (lines[end].startswith("  ") and lines[end].strip()):
            items[-1].append(lines[end][min(margin + 2, len(lines[end]) - len(lines[end].lstrip())) :])
        else:
            break
        end += 1
    made = [{"t": "li", "c": _flat(tree("\n".join(item), dialect, depth + 1))} for item in items]
    node: Node = {"t": "ol" if numbered else "ul", "c": made}
    if numbered:
        node["start"] = int(first[3])
    return end - at, [node]


def _flat(nodes: list[Node]) -> list[Node]:
    """The content of an item, without the paragraph that its first line is in."""
    return [*nodes[0]["c"], *nodes[1:]] if nodes and nodes[0]["t"] == "p" else nodes


_DASHES = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")


def _table(lines: list[str], at: int, dialect: Dialect, depth: int) -> tuple[int, list[Node]]:
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    rows = [_cells(lines[at]), *(_cells(each) for each in lines[at + 2 : end])]
    made = [
        {"t": "tr", "c": [{"t": "td" if number else "th", "c": inline(cell, dialect, depth)} for cell in row]}
        for number, row in enumerate(rows)
    ]
    return end - at, [{"t": "table", "c": made}]


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]


def inline(text: str, dialect: Dialect, depth: int = 0) -> list[Node]:
    """The nodes of a text without blocks."""
    nodes: list[Node] = []
    at, plain = 0, list[str]()
    while (found := _SPECIAL.search(text, at)) is not None:
        begin = found.start()
        end, node = _piece(text, begin, dialect, depth)
        if node is None or isinstance(node, str):
            plain.append(text[at:end] if node is None else text[at:begin] + node)
        else:
            plain.append(text[at:begin])
            _say(nodes, plain, dialect)
            nodes.append(node)
        at = end
    plain.append(text[at:])
    _say(nodes, plain, dialect)
    return nodes


_SPECIAL = re.compile(r"[\\`<\[h*_~|]")
"""Where something may begin. What is between is plain."""


def _say(nodes: list[Node], plain: list[str], dialect: Dialect) -> None:
    if text := "".join(plain):
        nodes.append(unescaped(text) if dialect.entities else text)
    plain.clear()


def unescaped(text: str) -> str:
    """Slack's three entities as signs (docs.slack.dev, Formatting message text: Escaping text)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _piece(text: str, at: int, dialect: Dialect, depth: int) -> tuple[int, Node | None]:
    """Where the piece at an index ends, and what it is; None for a plain one."""
    sign = text[at]
    if sign == "\\" and dialect.escapes and at + 1 < len(text) and text[at + 1] in "\\`*_{}[]()#+-.!|~>":
        return at + 2, text[at + 1]
    if sign == "`":
        return _code(text, at, dialect)
    if sign == "<":
        return _angle(text, at, dialect)
    if sign == "[" and dialect.links and depth < DEPTH:
        if (found := _LABELLED.match(text, at)) is not None:
            return found.end(), link(found[2], inline(found[1], dialect, depth + 1))
    elif sign == "h" and not dialect.entities and (at == 0 or not text[at - 1].isalnum()):
        if (found := _LINK.match(text, at)) is not None and (address := found[0].rstrip(_TRAILING)).count("/") >= 2:
            return at + len(address), link(address, [address])
    elif depth < DEPTH:
        for mark, made in dialect.marks:
            if text.startswith(mark, at) and (inner := _marked(text, at, mark, dialect)) is not None:
                return at + len(inner) + 2 * len(mark), _wrapped(made, inline(inner, dialect, depth + 1))
    return at + 1, None


def _wrapped(made: str, content: list[Node]) -> Node:
    for kind in reversed(made.split()):
        content = [{"t": kind, "c": content}]
    return content[0]


def _marked(text: str, at: int, mark: str, dialect: Dialect) -> str | None:
    """What is between a mark and the next one like it, if the two belong together."""
    begin = at + len(mark)
    if begin >= len(text) or text[begin].isspace():
        return None
    word = mark[0] == "_" or dialect.entities
    if word and at > 0 and text[at - 1].isalnum():
        return None
    end = text.find(mark, begin + 1)
    for _ in range(TRIES):
        if end == -1:
            return None
        after = end + len(mark)
        longer = len(mark) < 3 and text.startswith(mark[0], after) and not text.startswith(mark, after - 1)
        inside = len(mark) == 1 and (text[end - 1] == mark or text.startswith(mark, after))
        if not text[end - 1].isspace() and not inside and not longer and not (word and text[after : after + 1].isalnum()):
            inner = text[begin:end]
            return None if "\n\n" in inner else inner
        end = text.find(mark, after if inside else end + 1)
    return None


def _code(text: str, at: int, dialect: Dialect) -> tuple[int, Node | None]:
    marks = text[at : at + len(text[at:]) - len(text[at:].lstrip("`"))]
    end = text.find(marks, at + len(marks))
    if end == -1:
        return at + len(marks), None
    inner = text[at + len(marks) : end]
    inner = inner[1:-1] if len(inner) > 2 and inner[0] == inner[-1] == " " else inner
    return end + len(marks), {"t": "code", "c": [unescaped(inner) if dialect.entities else inner]}


def _angle(text: str, at: int, dialect: Dialect) -> tuple[int, Node | None]:
    end = text.find(">", at)
    inner = text[at + 1 : end] if 0 < end - at < 3000 else ""
    if not inner or "\n" in inner or "<" in inner:
        return at + 1, None
    if (named := dialect.mention(inner)) is not None:
        return end + 1, {"t": "mention", "c": [named]}
    address, _, label = inner.partition("|") if dialect.entities else (inner, "", "")
    if re.fullmatch(r"https?://\S+", address):
        shown = unescaped(label or address) if dialect.entities else address
        return end + 1, link(unescaped(address) if dialect.entities else address, [shown])
    return at + 1, None
