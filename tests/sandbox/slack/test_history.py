from typing import Any

from sandbox.slack import Simulator
from sandbox.slack.defaults import CHANNELS, PRIVATE
from tests.sandbox.slack.library import ADA, GENERAL, Slack, refused


def texts(answer: Any) -> list[str]:
    return [each["text"] for each in answer["messages"]]


async def test_history_has_roots_newest_first(simulator: Simulator, client: Slack) -> None:
    root = await simulator.say("user1", "general", "root")
    await simulator.say("user2", "general", "reply", thread=root["ts"])
    await simulator.say("user2", "general", "aloud", thread=root["ts"], broadcast=True)
    gone = await simulator.say("user1", "general", "gone")
    await simulator.delete(gone["id"])
    answer = await client.conversations_history(channel=GENERAL)
    assert texts(answer) == ["aloud", "root"]
    assert (answer["messages"][1]["reply_count"], answer["messages"][1]["thread_ts"]) == (2, root["ts"])


async def test_pages_lead_through_the_whole_history(simulator: Simulator, client: Slack) -> None:
    for number in range(5):
        await simulator.say("user1", "general", str(number))
    pages = [texts(page) async for page in await client.conversations_history(channel=GENERAL, limit=2)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_after_a_time_pages_lead_forward(simulator: Simulator, client: Slack) -> None:
    said = [await simulator.say("user1", "general", str(number)) for number in range(5)]
    answer = await client.conversations_history(channel=GENERAL, limit=2, oldest=said[0]["ts"])
    assert [texts(page) async for page in answer] == [["2", "1"], ["4", "3"]]
    around = await client.conversations_history(channel=GENERAL, oldest=said[1]["ts"], latest=said[3]["ts"], inclusive=True)
    assert texts(around) == ["3", "2", "1"]
    assert await refused(client.conversations_history(channel=GENERAL, oldest="monday")) == "invalid_ts_oldest"
    assert await refused(client.conversations_history(channel=GENERAL, cursor="x")) == "invalid_cursor"


async def test_replies_come_after_their_root(simulator: Simulator, client: Slack) -> None:
    root = await simulator.say("user1", "general", "root")
    said = [await simulator.say("user2", "general", str(number), thread=root["ts"]) for number in range(4)]
    pages = [texts(page) async for page in await client.conversations_replies(channel=GENERAL, ts=root["ts"], limit=2)]
    assert pages == [["root", "0"], ["1", "2"], ["3"]]
    later = await client.conversations_replies(channel=GENERAL, ts=said[0]["ts"], oldest=said[1]["ts"])
    assert texts(later) == ["root", "2", "3"]
    assert await refused(client.conversations_replies(channel=GENERAL, ts="1.000001")) == "thread_not_found"


async def test_what_may_be_read(simulator: Simulator, client: Slack) -> None:
    assert await refused(client.conversations_history(channel=CHANNELS["lounge"])) == "not_in_channel"
    assert await refused(client.conversations_history(channel=PRIVATE["backroom"])) == "channel_not_found"
    await simulator.set_scopes(remove=["channels:history"])
    assert await refused(client.conversations_history(channel=GENERAL)) == "missing_scope"


async def test_channels_can_be_looked_up(simulator: Simulator, client: Slack) -> None:
    channel = (await client.conversations_info(channel=GENERAL))["channel"]
    assert (channel["name"], channel["is_member"], channel["is_private"]) == ("general", True, False)
    assert not (await client.conversations_info(channel=CHANNELS["lounge"]))["channel"]["is_member"]
    await simulator.invite("backroom")
    listed = await client.conversations_list(types="public_channel,private_channel", limit=2)
    names = [each["name"] async for page in listed for each in page["channels"]]
    assert names == ["general", "random", "support", "lounge", "backroom"]
    opened = await client.conversations_open(users=[ADA])
    assert simulator.everything()["channels"][-1]["id"] == opened["channel"]["id"]
    direct = await client.chat_postMessage(channel=ADA, text="hello")
    assert direct["channel"] == opened["channel"]["id"]
    assert [each["text"] for each in simulator.sees("user1")] == ["hello"]
    await simulator.delete_channel("random")
    assert await refused(client.conversations_info(channel=CHANNELS["random"])) == "channel_not_found"
