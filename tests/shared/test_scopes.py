"""What holds where: the narrowest scope wins, for choices and for idle times."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.chat import Channel, ChannelId
from shared.commands import SCOPES, Scope
from shared.scopes import Choices, Chosen, IdleTimes, Layer, changed, key, narrowest
from tests.shared.desk import ATTIC, DEFAULTS, DIRECT, HALL, NICHE, desk

NAMES = ("model", "effort", "system")
names = st.sampled_from(NAMES)
values = st.sampled_from(["a", "b", "c"])
chosen = st.dictionaries(names, values)
writes = st.lists(st.tuples(st.sampled_from(SCOPES), names, st.none() | values))
CONVERSATION = UUID(int=7)


def layers(found: dict[Scope, dict[str, str]]) -> list[Layer]:
    return [(scope, found.get(scope, {})) for scope in SCOPES]


Step = tuple[Scope, str, str | None]


def applied(steps: Sequence[Step]) -> Sequence[Layer]:
    found: dict[Scope, Mapping[str, str]] = {scope: {} for scope in SCOPES}
    for scope, name, value in steps:
        found[scope] = changed(found[scope], name, value)
    return list(found.items())


@given(st.dictionaries(st.sampled_from(SCOPES), chosen), chosen)
def test_the_narrowest_scope_that_has_a_value_wins(found: dict[Scope, dict[str, str]], defaults: dict[str, str]) -> None:
    holds = narrowest(layers(found), defaults)
    for name in NAMES:
        having: list[Scope] = [scope for scope in SCOPES if name in found.get(scope, {})]
        if having:
            assert holds[name] == Chosen(found[having[0]][name], having[0])
        elif name in defaults:
            assert holds[name] == Chosen(defaults[name], "default")
        else:
            assert name not in holds


@given(writes, st.sampled_from(SCOPES), names, values, chosen)
def test_taking_a_choice_back_falls_back_to_what_held_without_it(
    steps: list[Step], scope: Scope, name: str, value: str, defaults: dict[str, str]
) -> None:
    without = applied([*steps, (scope, name, None)])
    again = applied([*steps, (scope, name, value), (scope, name, None)])
    assert narrowest(again, defaults) == narrowest(without, defaults)
    assert narrowest(without, defaults).get(name, Chosen("", "default")).scope != scope


@given(st.dictionaries(st.tuples(st.sampled_from(SCOPES), names), st.none() | values), st.randoms(use_true_random=False))
def test_the_order_of_choices_in_different_scopes_does_not_matter(
    steps: dict[tuple[Scope, str], str | None], random: Random
) -> None:
    straight: list[Step] = [(scope, name, value) for (scope, name), value in steps.items()]
    mixed = straight.copy()
    random.shuffle(mixed)
    assert applied(straight) == applied(mixed)


def test_a_thread_shares_the_choices_of_its_channel_and_a_conversation_has_its_own() -> None:
    assert key("channel", "odd", NICHE, None) == key("channel", "odd", HALL, None) == "channel:odd:hall"
    assert key("channel", "odd", ATTIC, None) == "channel:odd:attic"
    assert key("platform", "odd", HALL, None) == "platform:odd"
    assert key("global", "odd", HALL, None) == "global"
    assert key("conversation", "odd", HALL, CONVERSATION) == f"conversation:{CONVERSATION}"
    assert key("conversation", "odd", HALL, None) is None


async def test_choices_are_kept_and_taken_back_in_the_store(tmp_path: Path) -> None:
    async with desk(tmp_path) as h:
        choices = Choices(h.store, DEFAULTS)
        await h.talked("hello", place=NICHE)
        conversation = await h.store.conversation(NICHE.id)
        assert await choices.of("odd", NICHE, conversation) == {
            name: Chosen(value, "default") for name, value in DEFAULTS.items()
        }
        said: Sequence[tuple[Scope, str]] = (
            ("global", "large"), ("platform", "small"), ("channel", "middle"), ("conversation", "large-3"),
        )  # fmt: skip
        for scope, value in said:
            await h.say(f"/model {value} {scope}", who="root", place=NICHE)
            assert (await choices.of("odd", NICHE, conversation))["model"] == Chosen(value, scope)
        assert (await choices.of("odd", HALL, None))["model"] == Chosen("middle", "channel")
        assert (await choices.of("odd", ATTIC, None))["model"] == Chosen("small", "platform")
        assert (await choices.of("even", ATTIC, None))["model"] == Chosen("large", "global")
        for scope, left in (("conversation", "channel"), ("channel", "platform"), ("platform", "global"), ("global", "default")):
            await h.say(f"/model default {scope}", who="root", place=NICHE)
            assert (await choices.of("odd", NICHE, conversation))["model"].scope == left


HOUR = timedelta(hours=1)
times = st.none() | st.timedeltas(min_value=HOUR, max_value=9 * HOUR)


@given(times, st.dictionaries(st.just("odd"), times), st.dictionaries(st.sampled_from([HALL.id, NICHE.id, ATTIC.id]), times))
def test_the_narrowest_idle_time_wins_and_none_is_shorter_than_the_shortest(
    everywhere: timedelta | None, platforms: dict[str, timedelta | None], channels: dict[ChannelId, timedelta | None]
) -> None:
    idle = IdleTimes(everywhere, platforms, channels)
    assert idle.of("odd", NICHE)[1] == (
        "channel" if {NICHE.id, HALL.id} & channels.keys() else "platform" if platforms else "global"
    )
    if NICHE.id in channels:
        assert idle.of("odd", NICHE) == (channels[NICHE.id], "channel")
    elif HALL.id in channels:
        assert idle.of("odd", NICHE) == (channels[HALL.id], "channel")
    shortest = idle.shortest("odd")
    for place in (HALL, NICHE, ATTIC, DIRECT, Channel(ChannelId("odd:new"), "group")):
        time, _ = idle.of("odd", place)
        assert time is None or (shortest is not None and shortest <= time)
