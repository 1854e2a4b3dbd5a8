"""The tools that run at the API's side: each use, and its result, as blocks of an answer.

Block types as in anthropic 2.10.0, types/content_block.py and types/beta/beta_content_block.py.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from .blocks import JsonObject
from .offered import offered, offers_server
from .parts import Part, Writing, use
from .seals import sealed

_DIRECT: JsonObject = {"type": "direct"}
_TOOL_OF = {"web_search": "web_search", "web_fetch": "web_fetch", "code": "code_execution"}


def is_offered(said: Mapping[str, Any], body: JsonObject) -> bool:
    """Tell whether the request offers what a script's block wants to use. Tools of the caller's need not be known."""
    kind = str(said["type"])
    if kind == "mcp":
        return offers_server(body, str(said["server"]))
    return kind not in _TOOL_OF or offered(body, _TOOL_OF[kind]) is not None


def web_search(said: Mapping[str, Any], writing: Writing) -> list[Part]:
    """Search the web: results outside the request's domains do not come, and none after `max_uses`."""
    head = _server_use("web_search", said, writing)
    tool = offered(writing.body, "web_search") or {}
    error = said.get("error") or _exhausted("web_search", tool, said, writing)
    if error:
        content: object = {"type": "web_search_tool_result_error", "error_code": error}
    else:
        found = [_found(each, writing) for each in said.get("results") or () if _allowed(str(each["url"]), tool)]
        writing.results = found
        content = found
    result = {"type": "web_search_tool_result", "tool_use_id": head["id"], "caller": _DIRECT, "content": content}
    return _both(said, head, {"query": said.get("query", "")}, result)


def web_fetch(said: Mapping[str, Any], writing: Writing) -> list[Part]:
    """Fetch a page."""
    head = _server_use("web_fetch", said, writing)
    tool = offered(writing.body, "web_fetch") or {}
    url = str(said.get("url", ""))
    error = said.get("error") or _exhausted("web_fetch", tool, said, writing)
    if not error and not _allowed(url, tool):
        error = "url_not_allowed"
    if error:
        content: JsonObject = {"type": "web_fetch_tool_result_error", "error_code": error}
    else:
        source = {"type": "text", "media_type": "text/plain", "data": str(said.get("text", ""))}
        document = {"type": "document", "source": source, "title": said.get("title"), "citations": tool.get("citations")}
        content = {"type": "web_fetch_result", "url": url, "content": document, "retrieved_at": datetime.now(UTC).isoformat()}
    result = {"type": "web_fetch_tool_result", "tool_use_id": head["id"], "caller": _DIRECT, "content": content}
    return _both(said, head, {"url": url}, result)


def code(said: Mapping[str, Any], writing: Writing) -> list[Part]:
    """Run a command in a container; what it makes can be had from the Files API."""
    head = _server_use("bash_code_execution", said, writing)
    given = writing.body.get("container")
    writing.container = str(given) if isinstance(given, str) else f"container_{writing.number:08d}"
    if said.get("error"):
        content: JsonObject = {"type": "bash_code_execution_tool_result_error", "error_code": said["error"]}
    else:
        made = [_made(file, writing) for file in said.get("files") or ()] if said.get("part") != "use" else []
        content = {
            "type": "bash_code_execution_result",
            "stdout": said.get("stdout", ""),
            "stderr": said.get("stderr", ""),
            "return_code": said.get("return_code", 0),
            "content": made,
        }
    result = {"type": "bash_code_execution_tool_result", "tool_use_id": head["id"], "content": content}
    return _both(said, head, {"command": said.get("command", "")}, result)


def mcp(said: Mapping[str, Any], writing: Writing) -> list[Part]:
    """Use a tool of an MCP server."""
    pending = writing.open_use if said.get("part") == "result" else None
    name = said.get("id") or (pending or {}).get("id") or writing.next_id("mcptoolu")
    head: JsonObject = {"type": "mcp_tool_use", "id": name, "name": said["name"], "server_name": said["server"]}
    content = said.get("content", "")
    listed: object = [{"type": "text", "text": content}] if isinstance(content, str) else content
    result = {"type": "mcp_tool_result", "tool_use_id": name, "is_error": bool(said.get("is_error")), "content": listed}
    return _both(said, head, said.get("input") or {}, result)


def _server_use(name: str, said: Mapping[str, Any], writing: Writing) -> JsonObject:
    pending = writing.open_use if said.get("part") == "result" else None
    use_id = said.get("id") or (pending or {}).get("id") or writing.next_id("srvtoolu")
    return {"type": "server_tool_use", "id": use_id, "name": name, "caller": _DIRECT}


def _both(said: Mapping[str, Any], head: JsonObject, given: Mapping[str, Any], result: JsonObject) -> list[Part]:
    """Return the use, the result, or both. A wait counts once, before the use; `lead` passes before the result as well."""
    parts: list[Part] = []
    if said.get("part") != "result":
        parts.append(use(head, said, given))
    if said.get("part") != "use":
        wait = float(said.get("lead" if parts else "wait", 0))
        parts.append(Part(result, (), result, wait=wait))
    return parts


def _exhausted(kind: str, tool: JsonObject, said: Mapping[str, Any], writing: Writing) -> str | None:
    """Count a use; an error's code if the request allows no more."""
    if said.get("part") == "use":
        return None
    most = tool.get("max_uses")
    if isinstance(most, int) and writing.used.get(kind, 0) >= most:
        return "max_uses_exceeded"
    writing.used[kind] = writing.used.get(kind, 0) + 1
    return None


def _found(given: Mapping[str, Any], writing: Writing) -> JsonObject:
    url, title = str(given["url"]), str(given.get("title", ""))
    return {
        "type": "web_search_result",
        "url": url,
        "title": title,
        "page_age": given.get("page_age"),
        "encrypted_content": sealed("enc", writing.key, url, title),
    }


def _allowed(url: str, tool: JsonObject) -> bool:
    host = urlsplit(url).hostname or ""

    def within(domains: Any) -> bool:
        return any(host == domain or host.endswith(f".{domain}") for domain in domains)

    allowed, blocked = tool.get("allowed_domains"), tool.get("blocked_domains")
    return not (allowed and not within(allowed)) and not (blocked and within(blocked))


def _made(given: Mapping[str, Any], writing: Writing) -> JsonObject:
    data = base64.b64decode(given["base64"]) if "base64" in given else str(given.get("text", "")).encode()
    file = writing.files.add(str(given["name"]), data, given.get("media_type"), made=True)
    return {"type": "bash_code_execution_output", "file_id": file.id}
