"""The control API of Slack's simulator: what is a GET, what is a POST, and what is told of each event."""

from collections.abc import Mapping
from typing import Any

from sandbox.control.server import ControlServer
from sandbox.slack.control import Control
from sandbox.slack.errors import ApiError
from sandbox.slack.model import Json
from sandbox.slack.views import message_view, trigger_view
from sandbox.slack.world import Happening

_ACTIONS = (
    "say",
    "edit",
    "delete",
    "unfurl",
    "react",
    "call",
    "press",
    "stop",
    "open_home",
    "expire_responses",
    "expire_streams",
    "delete_file",
    "add_user",
    "add_channel",
    "delete_channel",
    "archive",
    "read_only",
    "kick",
    "invite",
    "set_round_trip",
    "set_token",
    "set_app_token",
    "set_scopes",
    "set_subscriptions",
    "set_features",
    "set_request_url",
    "clear_faults",
    "seed_faults",
    "drop",
    "disconnect",
    "deafen",
    "zombify",
    "accept",
    "duplicate",
    "lose_acks",
)
"""The methods of `Control` that are a POST each."""


def control_server(control: Control) -> ControlServer:
    """Build the control API of a simulator. It tells its followers of every change of the world."""
    server = ControlServer(
        readings={
            "world": lambda query: control.everything(),
            "messages": lambda query: _messages(control, query),
            "sees": lambda query: control.sees(query["as"], query.get("in", ""), query.get("thread")),
            "statuses": lambda query: control.statuses(),
            "sessions": lambda query: control.sessions(),
            "prompts": lambda query: control.prompts(query["as"]),
            "home": lambda query: control.home(query["as"]),
            "triggers": lambda query: control.trigger(query["trigger"]) if "trigger" in query else control.triggers(),
            "log": lambda query: control.log(int(query.get("after", "0"))),
            "deliveries": lambda query: control.deliveries(int(query.get("after", "0"))),
            "stats": lambda query: control.stats(),
            "faults": lambda query: control.faults_in_force(),
        },
        actions={name: getattr(control, name) for name in _ACTIONS},
        whole={"fault": control.fault_json, "spoil": control.spoil_json, "emit": control.emit},
        defaults={"say": {"where": "general"}},
        refusals={ApiError: str},
    )
    control.world.listeners.append(lambda happening: server.events.tell(lambda: _event(control, happening)))
    return server


def _messages(control: Control, query: Mapping[str, str]) -> Any:
    if "message" in query:
        return control.message(query["message"])
    return control.messages(query["channel"], query.get("as"), query.get("thread"))


def _event(control: Control, happening: Happening) -> Json:
    world, change = control.world, happening.change
    event: Json = {"event": happening.op, "at": world.now()}
    if happening.channel is not None:
        event["channel"] = happening.channel
    if happening.message is not None:
        event["message"] = message_view(world, world.state.messages[happening.message])
    elif happening.op in ("trigger", "trigger_set"):
        event["trigger"] = trigger_view(world.state.triggers[change["id" if happening.op == "trigger" else "trigger"]])
    elif happening.op in ("status", "session"):
        event |= {"thread": change["thread"], "status": change["status"]}
    return event
