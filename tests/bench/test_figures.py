"""The bench's own arithmetic."""

import math

import pytest

from tests.bench.figures import Reply, Shown, Staleness, bearable, busiest, ideal, interval, lengths, percentile, previews


def test_a_percentile_lies_between_its_neighbours() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([0.0, 10.0], 0.95) == pytest.approx(9.5)
    assert percentile([4.0], 0.99) == 4.0
    assert math.isnan(percentile([], 0.5))


def test_staleness_is_the_age_of_what_is_missing_and_of_what_is_shown() -> None:
    reply = Reply(0, 0, 0.0, opens_thread=False, deltas=(0.0, 1.0, 2.0), ends=(5, 10, 15))
    reply.shown = (Shown(0.5, 5), Shown(1.5, 10))
    samples = Staleness()
    samples.add(reply, step=0.5)
    # At 0.5 nothing is missing; at 1.0 the second delta has just come; at 1.5 it is shown.
    assert samples.behind == [0.0, 0.0, 0.0]
    assert samples.age == [0.5, 1.0, 0.5]


def test_a_reply_that_shows_nothing_new_falls_behind() -> None:
    reply = Reply(0, 0, 0.0, opens_thread=False, deltas=(0.0, 1.0, 4.0), ends=(5, 10, 15), shown=(Shown(0.0, 5),))
    samples = Staleness()
    samples.add(reply, step=1.0)
    assert samples.behind == [0.0, 0.0, 1.0, 2.0]
    assert samples.age == [0.0, 1.0, 2.0, 3.0]


def test_a_text_cut_within_a_delta_counts_only_whole_deltas() -> None:
    reply = Reply(0, 0, 0.0, opens_thread=False, deltas=(0.0, 1.0), ends=(5, 10), shown=(Shown(0.0, 9),))
    samples = Staleness()
    samples.add(reply, step=1.0)
    assert samples.age == [0.0]
    assert reply.complete is None


def test_the_ideal_reply_is_stale_for_an_interval_at_most() -> None:
    deltas = [number * 0.06 for number in range(100)]
    ends = [number + 1 for number in range(100)]
    samples = Staleness()
    samples.add(ideal(deltas, ends, interval=1.0, one_way=0.025))
    assert 0.45 < percentile(samples.behind, 0.5) < 0.53
    assert 0.9 < percentile(samples.behind, 0.95) < 1.0
    assert percentile(samples.age, 0.5) == pytest.approx(percentile(samples.behind, 0.5) + 0.06, abs=0.02)
    reply = ideal(deltas, ends, interval=1.0, one_way=0.025)
    assert reply.complete == pytest.approx(deltas[-1] + 0.025)


def test_the_length_after_a_delta_leaves_out_spaces_at_its_end() -> None:
    assert lengths("ab cd ", 2) == [2, 5]
    assert lengths("abcdef", 3) == [2, 4, 6]


def test_the_overall_limit_widens_the_interval_beyond_fifty_channels() -> None:
    assert interval(1) == interval(50) == 1.0
    assert interval(100) == 2.0
    assert bearable(2, share=0.85) == pytest.approx(21.25)


def test_the_busiest_second_is_found() -> None:
    assert busiest([]) == 0
    assert busiest([0.0, 0.5, 0.9, 1.0, 5.0]) == 3


def test_what_the_overall_limit_leaves_is_shared_out_as_previews() -> None:
    assert [previews(0.1, number) for number in range(3)] == [5, 5, 5]
    assert [previews(12.5, number) for number in range(3)] == [2, 2, 2]
    assert [previews(20.0, number) for number in range(4)] == [0, 1, 0, 1]
    assert previews(40.0, 7) == 0
