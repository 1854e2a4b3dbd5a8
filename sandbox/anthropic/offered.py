"""The tools that a request offers: checked, and looked up by what the model would call."""

import re
from collections.abc import Collection, Sequence

from sandbox.values import is_object

from .blocks import JsonObject, Placed, objects
from .config import MCP_BETAS
from .errors import Refusal, invalid
from .models import Model

_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")

# Types as in anthropic 2.10.0, types/tool_union_param.py; the digits are the date of the version.
_KINDS = ("web_search", "web_fetch", "code_execution", "bash", "text_editor", "memory", "computer_toolset", "browser_toolset")
_SEARCHES = ("tool_search_tool_regex", "tool_search_tool_bm25")
_VERSIONED = re.compile(rf"^({'|'.join((*_KINDS, *_SEARCHES))})(_\d{{8}})$")
_SERVER = ("web_search", "web_fetch", "code_execution")


def kind_of(tool: JsonObject) -> str:
    """Return what a tool is: the name of a server tool without its version, `mcp_toolset`, or `custom`."""
    kind = tool.get("type")
    if kind is None or kind == "custom":
        return "custom"
    versioned = _VERSIONED.match(str(kind))
    return versioned.group(1) if versioned else str(kind)


def offered(body: JsonObject, kind: str) -> JsonObject | None:
    """Return the tool of this kind that a request offers, if any."""
    return next((tool for tool in objects(body.get("tools")) if kind_of(tool) == kind), None)


def offers_server(body: JsonObject, name: str) -> bool:
    """Tell whether the tools of an MCP server are offered."""
    return any(tool.get("mcp_server_name") == name for tool in objects(body.get("tools")) if kind_of(tool) == "mcp_toolset")


def names(body: JsonObject) -> list[str]:
    """Return the names of the offered tools; for an MCP toolset that of its server."""
    return [str(tool.get("name") or tool.get("mcp_server_name") or kind_of(tool)) for tool in objects(body.get("tools"))]


def check_tools(body: JsonObject, blocks: Sequence[Placed], model: Model, betas: Collection[str]) -> Refusal | None:
    """Look at tools, tool_choice and MCP servers."""
    seen: set[str] = set()
    for number, tool in enumerate(objects(body.get("tools"))):
        problem = _check_tool(f"tools.{number}", tool, model, betas)
        if problem is not None:
            return problem
        name = str(tool.get("name") or f"server {tool.get('mcp_server_name')}")
        if name in seen:
            return invalid("tools: Tool names must be unique.")
        seen.add(name)
    return _check_choice(body, model) or _check_servers(body, blocks, betas)


def _check_tool(where: str, tool: JsonObject, model: Model, betas: Collection[str]) -> Refusal | None:
    kind = kind_of(tool)
    if kind == "custom":
        if not _NAME.match(str(tool.get("name", ""))):
            return invalid(f"{where}.custom.name: String should match pattern '{_NAME.pattern}'")
        schema = tool.get("input_schema")
        if not is_object(schema) or schema.get("type") != "object":
            return invalid(f"{where}.custom.input_schema.type: Field required")
        return None
    if kind == "mcp_toolset":
        if not set(MCP_BETAS) & set(betas):
            return invalid(f"{where}: Input tag 'mcp_toolset' found using 'type' does not match any of the expected tags")
        return None if tool.get("mcp_server_name") else invalid(f"{where}.mcp_toolset.mcp_server_name: Field required")
    if not _VERSIONED.match(str(tool.get("type"))):
        return invalid(f"{where}: Input tag '{tool.get('type')}' found using 'type' does not match any of the expected tags")
    if kind in _SERVER:
        if not model.tools:
            return invalid(f"'{tool['type']}' is not supported on this model")
        if tool.get("name") != kind:
            return invalid(f"{where}.{tool['type']}.name: Input should be '{kind}'")
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            return invalid(f"{where}: Only one of allowed_domains and blocked_domains may be given")
    return None


def _check_choice(body: JsonObject, model: Model) -> Refusal | None:
    choice = body.get("tool_choice")
    if not is_object(choice):
        return None
    kind = choice.get("type")
    if kind not in ("auto", "any", "tool", "none"):
        return invalid(f"tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if kind in ("any", "tool") and not model.forced_tools:
        return invalid(f'tool_choice.type "{kind}" is not supported for this model.')
    if kind == "tool" and choice.get("name") not in names(body):
        return invalid(f"Tool '{choice.get('name')}' not found in provided tools")
    return None


def _check_servers(body: JsonObject, blocks: Sequence[Placed], betas: Collection[str]) -> Refusal | None:
    """MCP connector: Anthropic developer docs; each server belongs to exactly one toolset, and the other way round."""
    allowed = bool(set(MCP_BETAS) & set(betas))
    if not allowed and "mcp_servers" in body:
        return invalid("mcp_servers: Extra inputs are not permitted")
    if not allowed:
        for place, _, block in blocks:
            if str(block.get("type")).startswith("mcp_"):
                return invalid(f"{place}: Input tag '{block['type']}' found using 'type' does not match any of the expected tags")
        return None
    servers: list[str] = []
    for number, server in enumerate(objects(body.get("mcp_servers"))):
        for field in ("name", "url"):
            if not isinstance(server.get(field), str) or not server[field]:
                return invalid(f"mcp_servers.{number}.url.{field}: Field required")
        if not str(server["url"]).startswith("https://"):
            return invalid(f"mcp_servers.{number}.url: URL must use https")
        servers.append(str(server["name"]))
    if len(set(servers)) < len(servers):
        return invalid("mcp_servers: server names must be unique")
    sets = [str(tool["mcp_server_name"]) for tool in objects(body.get("tools")) if kind_of(tool) == "mcp_toolset"]
    for name in sets:
        if name not in servers:
            return invalid(f"tools: MCP server '{name}' not found in mcp_servers")
    for name in servers:
        if name not in sets:
            return invalid(f"mcp_servers: server '{name}' is not referenced by any mcp_toolset in tools")
    return None
