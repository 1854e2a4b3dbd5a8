"""The texts that the stand-in can give on request. All are functions of their arguments alone."""

import re

_SUBJECTS = ("the river", "an old map", "the night train", "a patient clerk", "the lighthouse", "this archive", "a small bell")
_VERBS = ("follows", "remembers", "crosses", "describes", "outlasts", "repairs")
_OBJECTS = ("the valley", "every letter", "a long winter", "the quiet harbour", "its own shadow")

WORD = r"[^\W\d_]+"


def long_text(size: int) -> str:
    """About `size` characters of distinct numbered sentences, five to a paragraph: what is lost or doubled shows."""
    sentences: list[str] = []
    length = 0
    while length < size:
        number = len(sentences)
        subject, verb, thing = (each[number % len(each)] for each in (_SUBJECTS, _VERBS, _OBJECTS))
        sentences.append(f"Sentence {number + 1}: {subject} {verb} {thing}.")
        length += len(sentences[-1]) + 1
    return "\n\n".join(" ".join(sentences[start : start + 5]) for start in range(0, len(sentences), 5))


_FUNCTIONS = {
    "python": 'def step_{n}(value: int) -> int:\n    """Step {n} of the chain."""\n    return value * {n} + 1\n',
    "javascript": "export function step{n}(value) {{\n  // Step {n} of the chain.\n  return value * {n} + 1;\n}}\n",
    "typescript": "// Step {n} of the chain.\nexport function step{n}(value: number): number {{\n  return value * {n} + 1;\n}}\n",
    "rust": "/// Step {n} of the chain.\npub fn step_{n}(value: u64) -> u64 {{\n    value * {n} + 1\n}}\n",
    "go": "// Step{n} is step {n} of the chain.\nfunc Step{n}(value uint64) uint64 {{\n\treturn value*{n} + 1\n}}\n",
    "c": "/* Step {n} of the chain. */\nunsigned long step_{n}(unsigned long value) {{\n    return value * {n} + 1;\n}}\n",
    "java": "/** Step {n} of the chain. */\nstatic long step{n}(long value) {{\n    return value * {n} + 1;\n}}\n",
    "sql": "-- Step {n} of the chain.\nCREATE VIEW step_{n} AS\nSELECT value * {n} + 1 AS value FROM numbers;\n",
    "bash": "# Step {n} of the chain.\nstep_{n}() {{\n  echo $(( $1 * {n} + 1 ))\n}}\n",
    "html": '<section id="step-{n}">\n  <h2>Step {n}</h2>\n  <p>Multiply by {n} &amp; add 1.</p>\n</section>\n',
}
_OTHER_NAMES = {"js": "javascript", "ts": "typescript", "py": "python", "sh": "bash", "shell": "bash", "golang": "go"}
_USUAL = ("python", "javascript", "rust", "sql", "bash")


def languages_in(words: str) -> list[str]:
    """The programming languages that a text names, in its order."""
    named = [_OTHER_NAMES.get(word, word) for word in re.findall(WORD, words)]
    return [name for name in dict.fromkeys(named) if name in _FUNCTIONS]


def code(languages: list[str]) -> str:
    """A short fenced piece of code in each language, or in some usual ones if none is given."""
    blocks = [f"In {name}:\n\n{_fenced(name, 1, 2)}" for name in languages or _USUAL]
    return "\n\n".join(blocks)


def long_code(languages: list[str], size: int) -> str:
    """One fenced block of about `size` characters, of numbered functions."""
    name = languages[0] if languages else "python"
    each = len(_FUNCTIONS[name]) + 1
    return f"One long block, in {name}:\n\n{_fenced(name, 1, max(1, size // each))}\n\nThat was the whole block."


def _fenced(name: str, first: int, last: int) -> str:
    body = "\n".join(_FUNCTIONS[name].format(n=number) for number in range(first, last + 1))
    return f"```{name}\n{body}```"


def table(columns: int, rows: int) -> str:
    """A table of numbers with `columns` columns and `rows` rows, its second column aligned to the right."""
    head = ["Item"] + [f"Column {number}" for number in range(2, columns + 1)]
    rule = ["---", "---:"] + ["---"] * (columns - 2)
    lines = [head, rule]
    for row in range(1, rows + 1):
        lines.append([f"row {row}"] + [str(row * column) for column in range(2, columns + 1)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


LISTS = """A plain list:

- apples
- pears
  - green ones
  - yellow ones
    - from the south wall
- plums

A numbered one:

1. Boil the water.
2. Wait four minutes.
   - Do not stir.
3. Pour.

And things to do:

- [x] read the question
- [ ] think about it"""

HEADINGS = """# The first level

Some words below it.

## The second level

With **bold**, *italic*, ***both***, ~~struck out~~ and `code`.

### The third level

> A quotation
> over two lines.

---

#### The fourth level

The end."""

LINKS = """A named link: [the example](https://example.com/a_(b)?c=d&e=f#g "a title").
A bare one: https://example.com/with_under_scores
One in angle brackets: <https://example.org/>.
An address: <somebody@example.com>.
An image: ![a picture](https://example.com/picture.png)"""

# Named, not written: the source stays readable in every editor.
EMOJI = (
    "Plain: \N{GRINNING FACE} \N{PARTY POPPER} \N{WHITE HEAVY CHECK MARK}\n"
    "With a skin tone: \N{WAVING HAND SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-5}\n"
    "Joined: \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} "
    "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}\N{ZERO WIDTH JOINER}\N{BOY}\n"
    "Flag: \N{REGIONAL INDICATOR SYMBOL LETTER N}\N{REGIONAL INDICATOR SYMBOL LETTER O}\n"
    "By name: :smile: <:custom:123456789012345678>"
)

SCRIPTS = (
    "Japanese: 吾輩は猫である。名前はまだ無い。\n"
    "Chinese: 千里之行，始于足下。\n"
    "Korean: 시작이 반이다.\n"
    "Arabic: العلم نور والجهل ظلام.\n"
    "Hebrew: סוף טוב הכול טוב.\n"
    "Hindi: अनेकता में एकता।\n"
    "Thai: น้ำขึ้นให้รีบตัก\n"
    "Greek: Γνῶθι σεαυτόν.\n"
    "Combining signs: e\N{COMBINING ACUTE ACCENT} n\N{COMBINING TILDE} Z\N{COMBINING DOT BELOW}\N{COMBINING ACUTE ACCENT}\n"
    "Beyond 16 bits: 𝔗𝔥𝔯𝔢𝔞𝔡 𐍈 𠮷"
)

# Nobody may be pinged by this, nothing may be hidden by it, and the last fence is left open on purpose.
HOSTILE = """Mentions: @everyone @here <@1> <@!1> <@&1> <#1> </command:1> <id:guide> <t:0:R>
Escapes: \\*not italic\\* \\@everyone [@everyone](https://example.com) `@everyone`
Half markup: **bold without an end, ||a spoiler without an end, [a link without an end](https://example.com
HTML: <script>alert(1)</script> <b>bold</b> &lt;@1&gt; <!-- a comment -->
Zero width: @\N{ZERO WIDTH SPACE}everyone a\N{ZERO WIDTH NON-JOINER}b
Turned round: \N{RIGHT-TO-LEFT OVERRIDE}desrever\N{POP DIRECTIONAL FORMATTING}

```text
@everyone <@1> in a fence that never closes"""

SLOW = (
    "This answer takes its time. It comes word by word over about twelve seconds, so that you can watch it grow, "
    "write in between, or stop it with /stop. Another conversation does not wait for it. "
    "When the last word is there, the answer is complete and says so: complete."
)


def everything() -> str:
    """A little of every kind of markup, the hostile kind last."""
    parts = (HEADINGS, LISTS, table(4, 4), code(["python", "rust"]), LINKS, EMOJI, SCRIPTS, HOSTILE)
    return "\n\n".join(parts)
