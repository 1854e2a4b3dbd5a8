"""What the stand-in says: about itself, about what it can do, and which sample a request is for."""

import re

from shared.backends import Prompt
from shared.backends.demo import samples

INTRODUCTION = (
    "I am a stand-in for Claude, built into Threadline so that it can be tried without an account. I only follow simple rules, "
    "and nothing you write here leaves this computer. Write **help** to see what I can do."
)

FAILURES = """I can fail in these ways; add `midway` to fail after some text:

- `fail overloaded`
- `fail rate limit`
- `fail bad key`
- `fail quota`
- `fail broken off`
- `fail silent`
- `fail too long`
- `fail unknown model`
- `fail too large`
- `fail invalid`
- `fail unavailable`
- `fail refuse`
- `fail max tokens`
- `fail context full`"""

HELP = f"""I am a stand-in for Claude. I remember this conversation, and I can do these things:

**Remember**
- `my name is Ada`, then `what is my name?`
- `what did I say first?`, `what did I say last?`
- `how many messages?`, `list what we talked about`, `repeat that`

**Work out**
- `what is 12 * (3 + 4)?`

**Show**
- `long 40000`: about that many characters of numbered sentences
- `code`, `code in rust`, `long code`, `long code in go 8000`
- `table`, `wide table`, `long table`
- `list`, `headings`, `links`, `emoji`, `scripts` (many alphabets)
- `hostile`: mentions of everyone, and broken markup
- `everything`: some of each

**Take time**
- `slow`: about twelve seconds; it goes with others, like `slow table`
- `think`: a pause for thought first
- `retry`: as if the first attempt had failed
- `silent`: nothing at all, until the time limit; `silent midway`: nothing more after some text

**Fail**
{FAILURES}"""

HALF = (
    "This answer begins well. It has a first sentence, and a second one that goes on for a while, "
    "but in the middle of its third it"
)

_SIZE = re.compile(r"\b(\d[\d.,]*)\s?(k)?\b")
LARGEST = 400_000
"""Characters of the longest text that is given."""


def size_in(words: str, usual: int) -> int:
    """The number in a request ("long 40,000", "long 40k"), 1 to `LARGEST`, or the usual one."""
    found = _SIZE.search(words)
    if found is None:
        return usual
    digits = re.sub(r"[.,]", "", found[1])[:9]
    return max(1, min(int(digits) * (1000 if found[2] else 1), LARGEST))


def sample(words: str) -> str | None:
    """The sample that a request names, or None."""
    long = re.search(r"\b(?:long|longer|huge|big)\b", words) is not None
    wide = re.search(r"\bwide\b", words) is not None
    if re.search(r"\b(?:code|program|function|script in)\b", words):
        languages = samples.languages_in(words)
        return samples.long_code(languages, size_in(words, 6000)) if long else samples.code(languages)
    if re.search(r"\btables?\b", words):
        return "Here is a table.\n\n" + samples.table(14 if wide else 4, 80 if long else 5) + "\n\nThat was the table."
    if long and re.search(r"^long\b|\blong$|\b\d|\b(?:text|answer|reply|story|message|essay)\b", words):
        return samples.long_text(size_in(words, 6000))
    for pattern, text in _TEXTS:
        if re.search(rf"\b(?:{pattern})\b", words):
            return text
    return samples.everything() if re.search(r"\beverything\b", words) else None


_TEXTS = (
    (r"hostile|@everyone|everyone|mentions?", samples.HOSTILE),
    (r"lists?|bullets?", samples.LISTS),
    (r"headings?|headers?|markup|markdown|formatting", samples.HEADINGS),
    (r"links?|urls?", samples.LINKS),
    (r"emojis?|smileys?", samples.EMOJI),
    (r"scripts|alphabets?|unicode|multi ?byte|japanese|arabic", samples.SCRIPTS),
    (r"slow|slowly", samples.SLOW),
    (r"think|thinking", "I have thought about it. A stand-in does not find much, but it took its time."),
    (r"retry|retrying", "The first attempt failed, the second one did not: here I am."),
)


def fallback(prompt: Prompt, asked: str) -> str:
    """An answer to anything else: a greeting back, or what was heard."""
    if re.match(r"\W*(?:hello|hi|hey|good (?:morning|evening|day)|moin|hallo)\b", asked, re.IGNORECASE):
        return "Hello! Ask me something simple, or write **help**."
    if re.search(r"\bthank(?:s| you)\b", asked, re.IGNORECASE):
        return "You are welcome."
    heard = " ".join(asked.split())
    if not heard:
        return "I have read your message, but there were no words in it."
    shown = heard if len(heard) <= 300 else heard[:299] + "…"
    more = f" and {len(prompt.ask) - 1} more before it" if len(prompt.ask) > 1 else ""
    excuse = "Claude would have something to say about that; I am only a stand-in. Write **help** for what I can do."
    return f"You wrote: “{shown}”{more}. {excuse}"
