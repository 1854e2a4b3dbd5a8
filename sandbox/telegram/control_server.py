"""The control API of Telegram's simulator: what is a GET, what is a POST, and what is told of each event."""

from collections.abc import Mapping
from typing import Any

from sandbox.control.server import ControlServer
from sandbox.telegram.control import Control
from sandbox.telegram.errors import ApiError
from sandbox.telegram.model import Json
from sandbox.telegram.views import message_view, query_view
from sandbox.telegram.world import Happening

_ACTIONS = (
    "say",
    "edit",
    "delete",
    "react",
    "call",
    "start",
    "press",
    "expire_queries",
    "topic",
    "close_topic",
    "reopen_topic",
    "rename_topic",
    "delete_topic",
    "migrate",
    "block",
    "unblock",
    "deactivate",
    "add_bot",
    "remove_bot",
    "promote",
    "mute",
    "add_user",
    "add_chat",
    "set_round_trip",
    "set_token",
    "set_privacy",
    "clear_faults",
    "seed_faults",
    "drop",
    "emit",
    "expire_updates",
    "expire_links",
)
"""The methods of `Control` that are a POST each."""


def control_server(control: Control) -> ControlServer:
    """Build the control API of a simulator. It tells its followers of every change of the world."""
    server = ControlServer(
        readings={
            "world": lambda query: control.everything(),
            "messages": lambda query: _messages(control, query),
            "sees": lambda query: control.sees(query["as"], query.get("in", ""), query.get("topic")),
            "drafts": lambda query: control.drafts(),
            "actions": lambda query: control.actions(),
            "commands": lambda query: control.commands(query["as"], query.get("in", ""), query.get("language", "en")),
            "queries": lambda query: control.query(query["query"]) if "query" in query else control.queries(),
            "waiting": lambda query: control.waiting(),
            "log": lambda query: control.log(int(query.get("after", "0"))),
            "deliveries": lambda query: control.deliveries(int(query.get("after", "0"))),
            "stats": lambda query: control.stats(),
            "faults": lambda query: control.faults_in_force(),
        },
        actions={name: getattr(control, name) for name in _ACTIONS},
        whole={"fault": control.fault_json, "spoil": control.spoil_json},
        defaults={"say": {"where": "general"}},
        refusals={ApiError: str},
    )
    control.world.listeners.append(lambda happening: server.events.tell(lambda: _event(control, happening)))
    return server


def _messages(control: Control, query: Mapping[str, str]) -> Any:
    if "message" in query:
        return control.message(query["message"])
    return control.messages(query["chat"], query.get("topic"))


def _event(control: Control, happening: Happening) -> Json:
    world, change = control.world, happening.change
    event: Json = {"event": happening.op, "at": world.now()}
    if happening.chat is not None:
        event["chat"] = happening.chat
    if happening.chat is not None and happening.message is not None:
        event["message"] = message_view(world, world.state.messages[happening.chat, happening.message])
    elif happening.op in ("query", "query_set"):
        event["query"] = query_view(world.state.queries[change["id" if happening.op == "query" else "query"]])
    elif happening.op in ("draft", "action"):
        event |= {name: value for name, value in change.items() if name != "op"}
    elif happening.op in ("update", "forget"):
        event["updates"] = [change["id"]] if happening.op == "update" else change["updates"]
    return event
