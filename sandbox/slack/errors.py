"""The errors of the Web API: `{"ok": false, "error": …}` with status 200 (docs.slack.dev, Web API: Evaluating responses)."""

from typing import Any


class ApiError(Exception):
    """A refusal of the Web API by its code. `more` are further fields of the answer."""

    def __init__(self, error: str, **more: Any) -> None:
        self.error = error
        self.more = more
        super().__init__(error)

    def body(self) -> dict[str, Any]:
        """The JSON object that is answered."""
        return {"ok": False, "error": self.error, **self.more}


def invalid_arguments(*problems: str) -> ApiError:
    """The refusal of a call that lacks an argument or has a wrong one, with what a person reads of it."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {each}" for each in problems]})


def invalid_blocks(problem: str, where: str) -> ApiError:
    """The refusal of blocks. `where` is a JSON pointer, as in the answers of chat.postMessage."""
    return ApiError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {problem} [json-pointer:{where}]"]})
