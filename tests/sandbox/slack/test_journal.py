from pathlib import Path
from typing import Any

from sandbox.slack import Simulator, SimulatorConfig
from sandbox.slack.config import DEFAULT_TOKEN
from sandbox.slack.defaults import CHANNELS, TEAM
from sandbox.slack.world import World
from tests.sandbox.slack.library import ADA, GENERAL, ROOMY, Slack, a_client


async def live(simulator: Simulator, client: Slack) -> None:
    """A bit of everything."""
    said = await simulator.say("user1", "general", "@threadline hi", attachments=[{"name": "a", "size": 3}])
    await simulator.say("user2", "general", "in it", thread=said["ts"], broadcast=True)
    await simulator.edit(said["id"], "edited")
    await simulator.react("user2", said["id"], "eyes")
    await simulator.delete((await simulator.say("otherbot", "random", "gone"))["id"])
    await simulator.add_user("farah", "Farah")
    await simulator.add_channel("short-lived", private=True)
    await simulator.delete_channel("short-lived")
    await simulator.archive("support")
    await simulator.read_only("random")
    await simulator.invite("lounge", "guest")
    where = {"channel": GENERAL, "thread_ts": said["ts"], "recipient_user_id": ADA, "recipient_team_id": TEAM}
    chunk = {"type": "task_update", "id": "t", "title": "Looking", "status": "complete"}
    stream = (await client.chat_startStream(**where))["ts"]
    await client.chat_appendStream(channel=GENERAL, ts=stream, chunks=[chunk, {"type": "markdown_text", "text": "one"}])
    await client.chat_stopStream(channel=GENERAL, ts=stream)
    await client.chat_startStream(**where, markdown_text="open")
    await client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=said["ts"], status="processing", title="T")
    await client.chat_postEphemeral(channel=GENERAL, user=ADA, text="psst")
    await client.files_upload_v2(channel=GENERAL, filename="b.txt", content="bytes")
    await simulator.wait_for(lambda: simulator.messages("general")[-1]["attachments"])
    direct = (await client.conversations_open(users=[ADA]))["channel"]["id"]
    await client.assistant_threads_setSuggestedPrompts(channel_id=direct, prompts=[{"title": "a", "message": "b"}])
    await client.views_publish(user_id=ADA, view={"type": "home", "blocks": []})
    await simulator.call("user1", "/ask", "general", "why?")
    await simulator.wait_for(lambda: simulator.triggers()[0]["outcome"])


def lasting(simulator: Simulator) -> Any:
    """Everything but the addresses of files, which have a port."""
    shown = [each for name in CHANNELS for each in simulator.messages(name, "user1")]
    for message in shown:
        for file in message["attachments"]:
            assert file.pop("url_private") != file.pop("url_private_download")
    return (
        shown,
        simulator.everything(),
        simulator.triggers(),
        simulator.sessions(),
        simulator.prompts("user1"),
        simulator.home("user1"),
    )


async def test_a_restarted_simulator_has_the_same_world(tmp_path: Path) -> None:
    config = SimulatorConfig(state=tmp_path / "state", **ROOMY)
    async with Simulator(config) as simulator, a_client(simulator) as client:
        await live(simulator, client)
        before = (lasting(simulator), simulator.world.state.__dict__ | {"ids": None}, len(simulator.calls))
        newest = (simulator.world.ids.ts(), simulator.world.ids.next("U"))
    async with Simulator(config) as simulator, a_client(simulator, DEFAULT_TOKEN) as client:
        assert (lasting(simulator), simulator.world.state.__dict__ | {"ids": None}, len(simulator.calls)) == before
        assert simulator.world.ids.ts() > newest[0]
        [stream] = [each for each in simulator.messages("general") if each["content"] == "open"]
        await client.chat_appendStream(channel=GENERAL, ts=stream["ts"], markdown_text=" still")
        uploaded = next(each for each in simulator.messages("general") if each["author"] == "threadline" and each["attachments"])
        assert simulator.world.files.read(uploaded["attachments"][0]["id"]) == b"bytes"


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state"
    world = World(SimulatorConfig(state=path))
    world.add_user("first", "First")
    world.close()
    with path.open("a") as file:
        file.write('{"op":"user","id":"U5","na')
    again = World(SimulatorConfig(state=path))
    second = again.add_user("second", "Second")
    again.close()
    last = World(SimulatorConfig(state=path))
    users = list(last.state.users.values())[-2:]
    assert [user.name for user in users] == ["first", "second"]
    assert users[0].id < second.id
    last.close()


def test_timestamps_grow_even_when_the_clock_stands_still() -> None:
    world = World(SimulatorConfig(clock=lambda: 1_700_000_000.0))
    made = [world.ids.ts() for _ in range(5)]
    assert made == sorted(set(made))
