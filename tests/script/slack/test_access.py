"""Who may ask on Slack: lists, and people of other workspaces in channels that several share."""

from pathlib import Path

from sandbox.slack.defaults import OTHER_TEAM, PEOPLE, TEAM
from tests.script.base import ADMIN
from tests.script.slack.stage import opened
from tests.script.test_access import NO


async def test_only_people_of_the_workspaces_listed_are_answered(tmp_path: Path) -> None:
    async with opened(tmp_path, slack_allowed_teams=TEAM) as stage:
        ada, place = await stage.person(), await stage.channel()
        await stage.slack.invite(place, "guest")
        stage.answers("from within", "Hello.")
        within = await stage.say(ada, place, "@threadline from within")
        await stage.reads(ada, within, f"{ada}: @threadline from within", "threadline: Hello.")
        outside = await stage.say("guest", place, "@threadline from outside")
        await stage.reads(ada, outside, "guest: @threadline from outside", f"threadline: {NO}")
        await stage.say("guest", within, "and in here?")
        lines = [f"{ada}: @threadline from within", "threadline: Hello.", "guest: and in here?"]
        await stage.reads(ada, within, *lines, f"threadline: {NO}")
        stage.answers("still within", "Still here.")
        await stage.say(ada, within, "still within")
        await stage.reads(ada, within, *lines, f"threadline: {NO}", f"{ada}: still within", "threadline: Still here.")
        assert len(stage.claude.bodies()) == 2
        await stage.stop()
        await stage.start(slack_allowed_teams=f"{TEAM},{OTHER_TEAM}")
        stage.answers("let in", "Welcome.")
        thread = await stage.say("guest", place, "@threadline let in")
        await stage.reads(ada, thread, "guest: @threadline let in", "threadline: Welcome.")


async def test_presses_and_commands_of_others_do_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, slack_allowed_teams=TEAM) as stage:
        ada, place = await stage.person(), await stage.channel()
        await stage.slack.invite(place, "guest")
        stage.answers("long story", "Once upon a time", stop="max_tokens")
        thread = await stage.say(ada, place, "@threadline long story")
        await stage.until(lambda: stage.sees(ada, thread)[-1].endswith("[Continue]"))
        await stage.press("guest", thread, "Continue")
        await stage.until(lambda: stage.sees("guest", thread)[-1] == f"threadline: {NO} (only you)")
        await stage.settled()
        assert len(stage.claude.bodies()) == 1


async def test_a_question_of_a_command_counts_as_that_of_the_person_who_gave_it(tmp_path: Path) -> None:
    async with opened(tmp_path, slack_allowed_users=PEOPLE[ADMIN][0], slack_allowed_teams=TEAM) as stage:
        place = await stage.channel()
        stage.answers("asked by command", "Answered.")
        await stage.call(ADMIN, place, "/ask asked by command")
        await stage.until(lambda: stage.sees(ADMIN, place))
        thread = f"{place}/{stage.ids(ADMIN, place)[0]}"
        await stage.until(lambda: stage.sees(ADMIN, thread)[-1] == "threadline: Answered.")
        await stage.settled()
