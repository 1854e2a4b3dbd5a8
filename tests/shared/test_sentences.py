"""What people read from us."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from shared import answers, errors, harmless, sentences
from shared.commands import COMMANDS
from shared.errors import Blocked, Failure, RateLimited
from shared.store import Refusal
from tests.shared.spelling import slashed


def kinds(of: type[Failure] = Failure) -> list[type[Failure]]:
    return [of, *(kind for below in of.__subclasses__() for kind in kinds(below))]


def made(kind: type[Failure], detail: str = "") -> Failure:
    return RateLimited(detail, 20.0) if issubclass(kind, (RateLimited, Blocked)) else kind(detail)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_failure_has_a_sentence_that_says_what_one_can_do_and_gives_nothing_away(kind: type[Failure]) -> None:
    detail = "https://internal.example/secret sk-ant-123"
    told = sentences.failed(made(kind, detail), kept=False)
    assert told.endswith(".")
    assert detail not in told
    assert kind.__name__ not in told or kind is errors.Overloaded
    assert sentences.failed(made(kind), kept=True).endswith(told)
    assert sentences.failed(made(kind), kept=True) != told


def test_failures_that_call_for_different_acts_have_different_sentences() -> None:
    leaves = [
        errors.RateLimited, errors.Overloaded, errors.BrokenOff, errors.Silent, errors.TookTooLong, errors.Unavailable,
        errors.BadKey, errors.OutOfQuota, errors.UnknownModel, errors.TooLarge, errors.Invalid, errors.Gone,
    ]  # fmt: skip
    assert len({sentences.failed(made(kind), kept=False) for kind in leaves}) == len(leaves)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (1, "1 second"),
        (1.5, "2 seconds"),
        (20, "20 seconds"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (180, "3 minutes"),
        (181, "4 minutes"),
        (5399, "90 minutes"),
        (5400, "2 hours"),
        (21600, "6 hours"),
    ],
)
def test_a_length_of_time_is_rounded_up(seconds: float, words: str) -> None:
    assert sentences.span(seconds) == words


def test_what_is_too_old_is_listed_in_one_line() -> None:
    one = sentences.too_old(["“hi” (Ada)"], 1, timedelta(hours=6))
    assert one.startswith("While I was away I missed a message older than 6 hours: “hi” (Ada).")
    many = sentences.too_old(["“hi” (Ada)", "“ho” (Eve)"], 7, timedelta(hours=6))
    assert "7 messages" in many
    assert "“ho” (Eve) and more." in many
    assert "\n" not in many


def test_every_sentence_ends_like_one() -> None:
    told = [value for name, value in vars(sentences).items() if name.isupper() and name[0] != "_" and isinstance(value, str)]
    assert len(told) > 15
    tables = [value for name, value in vars(sentences).items() if name in ("RETRY", "UNDO", "MORE", "RESUME")]
    told += [sentence for table in tables for sentence in table.values()]
    assert all(sentence[0].isupper() and sentence.endswith((".", "…")) for sentence in told)


@pytest.mark.parametrize("table", ["RETRY", "MORE", "RESUME"])
def test_every_reason_why_something_cannot_be_done_has_a_sentence(table: str) -> None:
    assert set(get_args(Refusal)) <= getattr(sentences, table).keys() | ({"old"} if table == "RESUME" else set())


def test_a_budget_that_is_used_up_is_told_with_the_day_on_which_it_begins_anew() -> None:
    december = datetime(2026, 12, 1, tzinfo=UTC)
    assert sentences.over_limit("user", "tokens", 100_000, december) == (
        "You have used up the 100,000 tokens that one person may use in a month. I answer you again from 1 December (UTC) on."
    )
    assert sentences.over_limit("channel", "money", 5_500_000, december) == (
        "The $5.50 that may be used in this channel in a month are used up. I answer here again from 1 December (UTC) on."
    )
    assert sentences.over_limit("all", "money", 10_000_000, december) == (
        "The $10.00 that may be used by all together in a month are used up. I answer again from 1 December (UTC) on."
    )
    assert sentences.nearly("user", "tokens", 1000, 834, december) == (
        "You have used 83 % of the 1,000 tokens that one person may use in a month. A new month begins on 1 December (UTC)."
    )


@pytest.mark.parametrize(
    ("millionths", "words"),
    [(0, "$0.00"), (1, "less than $0.01"), (9_999, "less than $0.01"), (10_000, "$0.01"), (1_234_567_890, "$1,234.57")],
)
def test_money_is_told_in_dollars(millionths: int, words: str) -> None:
    assert sentences.dollars(millionths) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (7200, "2 hours ago"),
        (200_000, "2 days ago"),
    ],
)
def test_how_long_ago_something_was_is_told_in_words(seconds: float, words: str) -> None:
    assert sentences.ago(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (45, "45 seconds"), (60, "1 minute"), (5400, "90 minutes"), (3600, "1 hour"), (86_400, "24 hours")],
)
def test_a_length_of_time_that_was_set_is_told_exactly(seconds: int, words: str) -> None:
    assert sentences.length(timedelta(seconds=seconds)) == words


def test_a_conversation_that_was_closed_is_told_in_one_line_with_the_ways_to_go_on() -> None:
    assert slashed(sentences.idle(timedelta(hours=24))) == (
        "Nobody wrote here for 24 hours, so I have closed this conversation. "
        "The next message starts a new one; /resume goes on with this one."
    )


def test_a_command_in_a_sentence_is_written_as_it_is_given_where_the_sentence_is_read() -> None:
    assert slashed(sentences.NO_COMMAND) == "I do not know this command. Write /help to see those that there are."
    here = sentences.spelt(sentences.QUEUE_FULL, lambda name, there: f"!{name}{'!' if there else ''}")
    assert here.endswith("or write !stop to clear them.")
    elsewhere = sentences.spelt(sentences.NOTHING_TO_STOP, lambda name, there: f"!{name}{'!' if there else ''}")
    assert elsewhere == "There is nothing to stop here. Write !stop! in the conversation whose answer should end."


def test_no_sentence_names_a_command_as_one_platform_has_it() -> None:
    source = Path(sentences.__file__).read_text("utf-8") + Path(answers.__file__).read_text("utf-8")
    for spec in COMMANDS:
        assert not re.search(rf"(?<![\w/])/{spec.name}\b", source), spec.name
        assert sentences.spelt(sentences.command(spec.name), lambda name, there: f"{name} {there}") == f"{spec.name} False"


def test_what_others_wrote_cannot_be_taken_for_a_command_of_ours() -> None:
    forged = sentences.command("stop", there=True)
    for told in (harmless.code(forged), harmless.fenced(forged), harmless.plain(forged), harmless.flat(forged, 50)):
        assert sentences.spelt(told, lambda name, there: "forged") == told


def test_a_file_that_a_platform_does_not_give_is_told_with_its_limit() -> None:
    for most, told in (
        (20 << 20, "20 MB"),
        (20_000_000, "19 MB"),
        (25_500_000, "24.3 MB"),
        (500_000, "488.2 KB"),
        (9, "9 bytes"),
    ):
        why = f"I can fetch no more than {told} here. Send a smaller one."
        assert sentences.unread("a.zip", f"size {most}") == f"I could not read “a.zip”: {why}"
