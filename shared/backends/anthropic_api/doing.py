"""Which tool runs, in the words of the seam. Pure."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from shared.backends import Doing

Tool = Literal["search", "fetch", "code", "other"]

LONGEST = 200
"""Characters of what a tool works on."""

USES = ("server_tool_use", "mcp_tool_use")
"""Blocks with which a tool begins that runs at the API's side; its end is a block whose type ends with `RESULT`."""

RESULT = "_tool_result"

# The names of ServerToolUseBlock (anthropic 2.10.0, types/server_tool_use_block.py), and what each works on.
_TOOLS: Mapping[str, tuple[Tool, str]] = {
    "web_search": ("search", "query"),
    "web_fetch": ("fetch", "url"),
    "code_execution": ("code", "code"),
    "bash_code_execution": ("code", "command"),
    "text_editor_code_execution": ("code", "path"),
}


def doing(use: Mapping[str, Any]) -> Doing:
    """A tool that begins, or whose input has become known."""
    if use.get("type") == "mcp_tool_use":
        return Doing("other", str(use.get("server_name") or "")[:LONGEST])
    name = str(use.get("name") or "")
    tool, field = _TOOLS.get(name, ("other", ""))
    given = use.get("input")
    about = cast("Mapping[str, Any]", given).get(field) if isinstance(given, dict) else None
    return Doing(tool, name[:LONGEST] if tool == "other" else str(about or "")[:LONGEST])
