"""What people read from us."""

from datetime import timedelta

import pytest

from shared import errors, sentences
from shared.errors import Failure, RateLimited


def kinds(of: type[Failure] = Failure) -> list[type[Failure]]:
    return [of, *(kind for below in of.__subclasses__() for kind in kinds(below))]


def made(kind: type[Failure], detail: str = "") -> Failure:
    return RateLimited(detail, 20.0) if issubclass(kind, RateLimited) else kind(detail)


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
    told = [value for name, value in vars(sentences).items() if name.isupper() and isinstance(value, str)]
    assert len(told) > 15
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in told)
