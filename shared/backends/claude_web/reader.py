"""From the states of claude.ai's answer to the answers of the seam. Pure."""

from collections.abc import Iterator, Mapping
from typing import Literal

from shared.backends import Answer, Delta, Doing, Spent, Stop, Thinking, Usage
from shared.claude_web import MessageLimit, ModelOutput

Tool = Literal["search", "fetch", "code", "other"]

_TOOLS: Mapping[str, Tool] = {
    "web_search": "search",
    "web_fetch": "fetch",
    "repl": "code",
    "bash_tool": "code",
    "create_file": "code",
    "str_replace": "code",
    "present_files": "code",
}

_STOPS: Mapping[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "max_tokens",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_full",
    "pause_turn": "pause",
}

CUT = frozenset({"user_canceled", "error", "message_limit"})
"""Stop reasons of an answer that did not come to its end."""


class Reader:
    """Reads the states of one try."""

    def __init__(self, begun: Usage) -> None:
        """`begun` is what the try uses up if it is broken off before its first word."""
        self._begun = begun
        self._doing = False
        self._text: list[str] = []
        self.began = False
        self.worked = False
        self.limit: MessageLimit | None = None
        self.message = ""
        self.reason: str | None = None

    @property
    def spoken(self) -> bool:
        """Whether there was a word."""
        return bool(self._text)

    @property
    def text(self) -> str:
        """All deltas together."""
        return "".join(self._text)

    def read(self, state: ModelOutput) -> Iterator[Answer]:
        """Give what a state brings. Of several candidates only the first one is read."""
        if not self.began:
            self.began = True
            yield Spent(self._begun)
        if state.whole:
            self.limit, self.message, self.reason = state.limit, state.message_uuid, state.stop_reason
            return
        if state.chosen:
            return
        if state.tool is not None:
            self._doing = self.worked = True
            tool = _TOOLS.get(state.tool, "other")
            yield Doing(tool, state.tool[:200] if tool == "other" else "")
        elif state.text_delta:
            if self._doing:
                self._doing = False
                yield Doing(None)
            self._text.append(state.text_delta)
            yield Delta(state.text_delta)
        else:
            yield Thinking(state.thinking_delta)


def stop_of(reason: str | None) -> Stop:
    """Why an answer ended. A reason that is not known is as good as none: the stream came to its end."""
    return _STOPS.get(reason or "", "end")
