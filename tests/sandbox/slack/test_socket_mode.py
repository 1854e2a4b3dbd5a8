import asyncio

import aiohttp

from sandbox.slack import Simulator
from sandbox.slack.defaults import BOT, BOT_ID, TEAM
from tests.sandbox.slack.library import ADA, GENERAL, Bot, a_bot, a_client, a_simulator, refused


async def test_one_mention_arrives_as_two_events(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "general", "@threadline what is 1 < 2?")
    mention = await bot.hears("app_mention")
    message = await bot.hears("message")
    assert mention["ts"] == message["ts"] == said["ts"]
    assert message["text"] == f"<@{BOT}> what is 1 &lt; 2?"
    assert (message["channel"], message["channel_type"], message["user"], message["team"]) == (GENERAL, "channel", ADA, TEAM)
    one, other = bot.bodies
    assert one["event_id"] != other["event_id"]
    assert one["authorizations"][0]["user_id"] == BOT


async def test_a_name_is_known_in_small_and_large_letters(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user1", "general", "@Threadline and @nobody")
    assert (await bot.hears("app_mention"))["text"] == f"<@{BOT}> and @nobody"


async def test_a_direct_message_is_no_mention(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user1", "", "@threadline hello", direct=True)
    message = await bot.hears("message")
    assert (message["channel"][0], message["channel_type"]) == ("D", "im")
    await simulator.wait_for(lambda: simulator.delivery.busy == 0)
    assert [each["type"] for each in bot.events] == ["message"]


async def test_where_the_bot_is_not_it_hears_nothing(simulator: Simulator, bot: Bot) -> None:
    await simulator.say("user1", "lounge", "@threadline hello")
    await simulator.say("user1", "general", "there")
    await bot.hears("message")
    assert [each["channel"] for each in bot.events] == [GENERAL]


async def test_what_the_app_is_not_subscribed_to_does_not_come(simulator: Simulator, bot: Bot) -> None:
    await simulator.set_subscriptions(remove=["message.channels"])
    await simulator.say("user1", "general", "@threadline hello")
    await bot.hears("app_mention")
    await simulator.set_scopes(remove=["app_mentions:read"])
    await simulator.say("user1", "general", "@threadline again")
    await simulator.wait_for(lambda: simulator.delivery.busy == 0)
    assert len(bot.events) == 1


async def test_an_event_that_is_not_acknowledged_comes_again() -> None:
    async with a_simulator(ack_timeout=3.0) as simulator, a_bot(simulator) as bot:
        bot.failing = 1
        await simulator.say("user1", "general", "hello")
        await bot.until(lambda: bot.events, timeout=20)
        await bot.hears("message")
        await simulator.wait_for(lambda: simulator.delivery.busy == 0)
        first, second = simulator.deliveries()
        assert (first["outcome"], second["outcome"]) == ("timeout", "acked")
        assert first["id"] == second["id"] == bot.bodies[0]["event_id"]
        assert bot.headers[0]["x-slack-retry-num"] == ["1"]
        assert bot.headers[0]["x-slack-retry-reason"] == ["timeout"]


async def test_a_lost_acknowledgement_makes_an_event_come_twice() -> None:
    async with a_simulator(ack_timeout=0.5) as simulator, a_bot(simulator) as bot:
        await simulator.lose_acks(1)
        await simulator.say("user1", "general", "hello")
        await bot.hears("message", 2)
        assert bot.bodies[0]["event_id"] == bot.bodies[1]["event_id"]


async def test_an_envelope_can_be_doubled(simulator: Simulator, bot: Bot) -> None:
    await simulator.duplicate()
    await simulator.say("user1", "general", "hello")
    await bot.hears("message", 2)
    await simulator.wait_for(lambda: simulator.stats()["unknown_acks"])


async def test_an_event_is_given_up_after_the_last_try(simulator: Simulator) -> None:
    await simulator.say("user1", "general", "hello")
    await simulator.wait_for(lambda: simulator.delivery.given_up)
    assert [each["outcome"] for each in simulator.deliveries()] == ["connection_failed"] * 4
    assert [each["attempt"] for each in simulator.deliveries()] == [0, 1, 2, 3]


async def test_each_envelope_goes_to_one_of_the_connections(simulator: Simulator) -> None:
    async with a_bot(simulator, links=2) as bot:
        for number in range(4):
            await simulator.say("user1", "general", f"number {number}")
        await bot.hears("message", 4)
        await simulator.wait_for(lambda: simulator.delivery.busy == 0)
        assert sorted(each["link"] for each in simulator.deliveries()) == [1, 1, 2, 2]
        assert len(bot.events) == 4


async def test_a_connection_that_is_told_to_refresh_comes_again(simulator: Simulator) -> None:
    async with a_bot(simulator) as bot:
        await simulator.disconnect()
        assert simulator.sockets.open == 0
        await simulator.wait_for(lambda: simulator.sockets.open == 1)
        await simulator.say("user1", "general", "hello")
        await bot.hears("message")
        assert simulator.stats()["connects"] == 2


async def test_a_cut_connection_comes_again_and_nothing_is_lost() -> None:
    async with a_simulator(retry_delays=(0.5, 2.0, 2.0)) as simulator, a_bot(simulator) as bot:
        await simulator.drop()
        await simulator.wait_for(lambda: simulator.sockets.open == 0)
        await simulator.say("user1", "general", "hello")
        await bot.until(lambda: bot.events, timeout=10)
        assert bot.headers[0]["x-slack-retry-reason"] == ["connection_failed"]


async def test_a_deaf_connection_loses_what_another_one_gets_later() -> None:
    async with a_simulator(ack_timeout=0.5) as simulator, a_bot(simulator, links=2) as bot:
        await simulator.deafen(1)
        for number in range(2):
            await simulator.say("user1", "general", f"number {number}")
        await bot.hears("message", 2)
        await simulator.wait_for(lambda: {each["outcome"] for each in simulator.deliveries()} >= {"timeout", "acked"})


async def test_a_connection_without_pongs_is_left_by_the_library() -> None:
    async with a_simulator() as simulator, a_bot(simulator):
        await simulator.zombify()
        await simulator.wait_for(lambda: simulator.stats()["connects"] == 2, timeout=20)


async def test_connections_are_counted_and_tickets_good_once(simulator: Simulator) -> None:
    async with a_client(simulator, "xapp-demo-token") as client, aiohttp.ClientSession() as session:
        opened = await client.apps_connections_open(app_token="xapp-demo-token")
        async with session.ws_connect(opened["url"]) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            async with session.get(opened["url"]) as again:
                assert again.status == 403


async def test_there_are_at_most_so_many_connections() -> None:
    async with a_simulator(connections=1) as simulator, aiohttp.ClientSession() as session:
        urls = [simulator.sockets.ticket() for _ in range(2)]
        async with session.ws_connect(urls[0]) as first, session.ws_connect(urls[1]) as second:
            assert (await first.receive_json())["type"] == "hello"
            told = await second.receive_json()
            assert (told["type"], told["reason"]) == ("disconnect", "too_many_websockets")


async def test_a_token_of_the_wrong_kind_opens_no_connection(simulator: Simulator) -> None:
    async with a_client(simulator) as client:
        assert await refused(client.apps_connections_open(app_token="xoxb-demo-token")) == "not_allowed_token_type"
        assert await refused(client.apps_connections_open(app_token="xapp-other")) == "invalid_auth"


async def test_changes_and_deletions_are_told(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "general", "first")
    await simulator.edit(said["id"], "second")
    changed = await bot.hears("message", subtype="message_changed")
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("second", "first")
    assert changed["message"]["ts"] == said["ts"] != changed["ts"]
    assert changed["hidden"]
    await simulator.unfurl(said["id"])
    unfurled = await bot.hears("message", 2, subtype="message_changed")
    assert unfurled["message"]["text"] == unfurled["previous_message"]["text"]
    await simulator.delete(said["id"])
    assert (await bot.hears("message", subtype="message_deleted"))["deleted_ts"] == said["ts"]


async def test_a_deleted_root_with_replies_becomes_a_tombstone(simulator: Simulator, bot: Bot) -> None:
    root = await simulator.say("user1", "general", "root")
    reply = await simulator.say("user2", "general", "reply", thread=root["ts"])
    heard = await bot.hears("message", text="reply")
    assert (heard["thread_ts"], heard["parent_user_id"]) == (root["ts"], ADA)
    await simulator.delete(root["id"])
    changed = await bot.hears("message", subtype="message_changed")
    assert changed["message"]["subtype"] == "tombstone"
    replies = await bot.client.conversations_replies(channel=GENERAL, ts=root["ts"])
    assert [each["ts"] for each in replies["messages"]] == [root["ts"], reply["ts"]]


async def test_other_bots_are_bot_messages_and_own_ones_carry_the_bot_id(simulator: Simulator, bot: Bot) -> None:
    await simulator.set_subscriptions(remove=["app_mention"])
    await simulator.say("otherbot", "general", "beep")
    heard = await bot.hears("message")
    assert (heard["subtype"], "user" in heard) == ("bot_message", False)
    posted = await bot.client.chat_postMessage(channel=GENERAL, text="mine")
    await simulator.wait_for(lambda: simulator.delivery.busy == 0)
    [told] = [each for each in simulator.delivery.sent if each.ts == posted["ts"]]
    assert (told.outcome, told.payload["event"]["user"], told.payload["event"]["bot_id"]) == ("acked", BOT, BOT_ID)
    assert len(bot.events) == 1  # bolt keeps it from the app


async def test_reactions_and_the_home_are_told(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "general", "hello")
    await simulator.react("user2", said["id"], "eyes")
    reacted = await bot.hears("reaction_added")
    assert (reacted["reaction"], reacted["item"]["ts"], reacted["item_user"]) == ("eyes", said["ts"], ADA)
    await simulator.open_home("user1")
    assert (await bot.hears("app_home_opened"))["tab"] == "messages"


async def test_any_event_can_be_sent(simulator: Simulator, bot: Bot) -> None:
    number = await simulator.emit({"type": "app_mention", "channel": GENERAL, "ts": "1.000001", "text": "made up", "user": ADA})
    await bot.hears("app_mention")
    assert bot.bodies[0]["event_id"] == number


async def test_the_round_trip_delays_events(simulator: Simulator, bot: Bot) -> None:
    await simulator.set_round_trip(0.2)
    begun = asyncio.get_running_loop().time()
    await simulator.say("user1", "general", "hello")
    await bot.hears("message")
    assert asyncio.get_running_loop().time() - begun >= 0.1
