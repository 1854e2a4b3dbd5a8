"""Long code out of the text: its first lines stay, the whole goes into a file of its own. Pure.

The folded form of a text begins with the folded form of each of its beginnings, so it can be shown while the text grows.
"""

import re
from dataclasses import dataclass

from shared import sentences
from shared.markdown import Fence, Kind, lines

LEEWAY = 200
"""Characters beyond the limit in which the end of a line is looked for."""

_ENDINGS = {
    "bash": "sh", "c": "c", "c#": "cs", "c++": "cpp", "clojure": "clj", "cpp": "cpp", "cs": "cs", "csharp": "cs", "css": "css",
    "csv": "csv", "cxx": "cpp", "dart": "dart", "diff": "diff", "elixir": "ex", "erlang": "erl", "go": "go", "golang": "go",
    "haskell": "hs", "html": "html", "ini": "ini", "java": "java", "javascript": "js", "js": "js", "json": "json", "jsx": "jsx",
    "julia": "jl", "kotlin": "kt", "kt": "kt", "latex": "tex", "lua": "lua", "markdown": "md", "md": "md", "ocaml": "ml",
    "perl": "pl", "php": "php", "powershell": "ps1", "ps1": "ps1", "py": "py", "python": "py", "python3": "py", "r": "r",
    "rb": "rb", "rs": "rs", "ruby": "rb", "rust": "rs", "scala": "scala", "scss": "scss", "sh": "sh", "shell": "sh", "sql": "sql",
    "svg": "svg", "swift": "swift", "tex": "tex", "toml": "toml", "ts": "ts", "tsx": "tsx", "typescript": "ts", "xml": "xml",
    "yaml": "yaml", "yml": "yaml", "zig": "zig", "zsh": "sh",
}  # fmt: skip
_WORD = re.compile(r"[\w#+]+")


@dataclass(frozen=True, slots=True)
class Code:
    """One block of code as a file. `name` is made of our own words alone."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A text whose long code is shown in part, and the whole of each such block, in order."""

    text: str
    codes: tuple[Code, ...] = ()


@dataclass(slots=True)
class _Block:
    """A code block: from its first character to the one after its last; `end` is where the text goes on after it."""

    fence: Fence
    start: int
    stop: int
    end: int
    closed: bool


def fold(text: str, most: int) -> Folded:
    """Cut every code block short that has more than about `most` characters: it ends with the line that exceeds them.

    With 0, and within quotes, nothing is cut.
    """
    if not most or ("```" not in text and "~~~" not in text):
        return Folded(text)
    shown: list[str] = []
    codes: list[Code] = []
    at = 0
    for block in _blocks(text):
        code = text[block.start : block.stop]
        cut = _cut(code, most)
        if cut is None:
            continue
        if not block.closed and not _sure(code[cut:], block.fence):
            # Whether this is more code or the end of the block cannot be told yet.
            return Folded("".join([*shown, text[at : block.start], code[:cut]]), tuple(codes))
        shown += [text[at : block.start], code[:cut], f"\n{block.fence.closing}"]
        at = block.end
        if not code[cut:].strip():
            continue
        whole = Code(f"code-{len(codes) + 1}.{_ending(block.fence)}", f"{code.rstrip()}\n")
        codes.append(whole)
        shown.append(f"\n\n*{sentences.in_file(whole.name)}*")
    return Folded("".join([*shown, text[at:]]), tuple(codes))


def _blocks(text: str) -> list[_Block]:
    found: list[_Block] = []
    block: _Block | None = None
    for line in lines(text):
        if line.kind is Kind.OPEN and line.fence:
            after = min(line.end + 1, len(text))
            block = None if ">" in line.fence.lead else _Block(line.fence, after, after, after, closed=False)
            if block:
                found.append(block)
        elif line.kind is Kind.CODE and block:
            block.stop = block.end = line.end
        elif line.kind is Kind.CLOSE and block:
            block.end, block.closed = line.end, True
            block = None
    return found


def _cut(code: str, most: int) -> int | None:
    """Where code is cut: at the first end of a line beyond `most` characters, or not far beyond them; None if it ends before."""
    stop = code.find("\n", most, most + LEEWAY)
    return min(len(code), stop if stop >= 0 else most + LEEWAY) if len(code) >= most else None


def _sure(rest: str, fence: Fence) -> bool:
    """Whether the end of an open block holds code for certain, and not only the beginning of the line that closes it."""
    bare = rest.strip()
    return "\n" in bare or bare.lstrip("> \t").strip(fence.mark[0]) != ""


def _ending(fence: Fence) -> str:
    word = _WORD.match(fence.info.strip().lower())
    return _ENDINGS.get(word[0], "txt") if word else "txt"
