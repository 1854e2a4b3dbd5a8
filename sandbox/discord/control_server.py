"""The control API of Discord's simulator: what is a GET, what is a POST, and what is told of each event."""

from collections.abc import Mapping
from typing import Any

from sandbox.control.server import ControlServer
from sandbox.discord.control import Control
from sandbox.discord.errors import ApiError
from sandbox.discord.model import Json
from sandbox.discord.views import message_view
from sandbox.discord.world import Happening

_ACTIONS = (
    "say",
    "edit",
    "delete",
    "delete_many",
    "unfurl",
    "call",
    "autocomplete",
    "press",
    "react",
    "type",
    "open_thread",
    "archive",
    "archive_due",
    "add_to_thread",
    "add_user",
    "add_channel",
    "add_guild",
    "delete_channel",
    "permissions",
    "role",
    "kick",
    "invite",
    "refuse_direct",
    "set_round_trip",
    "set_token",
    "set_message_content",
    "clear_faults",
    "seed_faults",
    "drop",
    "close_gateway",
    "reconnect",
    "invalidate",
    "forget_sessions",
    "zombify",
    "duplicate",
)
"""The methods of `Control` that are a POST each."""


def control_server(control: Control) -> ControlServer:
    """Build the control API of a simulator. It tells its followers of every change of the world."""
    server = ControlServer(
        readings={
            "world": lambda query: control.everything(),
            "messages": lambda query: _messages(control, query),
            "sees": lambda query: control.sees(query["as"], query.get("in", "")),
            "typing": lambda query: control.typing(),
            "commands": lambda query: control.commands(query["as"], query.get("in", "")),
            "interactions": lambda query: (
                control.interaction(query["interaction"]) if "interaction" in query else control.interactions()
            ),
            "log": lambda query: control.log(int(query.get("after", "0"))),
            "dispatches": lambda query: control.dispatches(int(query.get("after", "0"))),
            "stats": lambda query: control.stats(),
            "faults": lambda query: control.faults_in_force(),
        },
        actions={name: getattr(control, name) for name in _ACTIONS},
        whole={"fault": control.fault_json, "spoil": control.spoil_json},
        defaults={"say": {"by": "webhook", "where": "general"}},
        refusals={ApiError: lambda error: error.message, TimeoutError: lambda error: "Loading options failed"},
    )
    control.world.listeners.append(lambda happening: server.events.tell(lambda: _event(control, happening)))
    return server


def _messages(control: Control, query: Mapping[str, str]) -> Any:
    if "message" in query:
        return control.message(query["message"])
    return control.messages(query["channel"], query.get("as"))


def _event(control: Control, happening: Happening) -> Json:
    world = control.world
    event: Json = {"event": happening.op, "at": world.now()}
    if happening.channel is not None:
        event["channel"] = str(happening.channel)
    if happening.message is not None:
        event["message"] = message_view(world, world.state.messages[happening.message])
    elif "messages" in happening.change:
        event["messages"] = [message_view(world, world.state.messages[each]) for each in happening.change["messages"]]
    elif "user" in happening.change:
        event["user"] = world.state.users[happening.change["user"]].name
    if happening.op in ("interaction", "answered", "unanswered"):
        number = happening.change["id" if happening.op == "interaction" else "interaction"]
        event["interaction"] = control.interaction(number)
    return event
