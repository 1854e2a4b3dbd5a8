"""What stays the same in every call. None of it is documented by Anthropic: it is what the web app was seen to use."""

from enum import StrEnum
from typing import Any

VERSION = "0.1.0"

BASE_URL = "https://claude.ai"

# The parent of a conversation's first message.
ROOT_PARENT = "00000000-0000-4000-8000-000000000000"

# Where Claude's sandbox puts the files it has made. A bare file name in `download_file` is looked for there.
OUTPUTS = "/".join(("", "mnt", "user-data", "outputs"))

# Those of the web app's tools whose results are text or files. Its widgets (maps, recipes, forms) need its page.
TOOLS: tuple[dict[str, Any], ...] = (
    {"name": "web_search", "type": "web_search_v0"},
    {"name": "artifacts", "type": "artifacts_v0"},
    {"name": "repl", "type": "repl_v0"},
)


class Model(StrEnum):
    """Models by a short name. Any other model can be named by its string."""

    SONNET = "claude-sonnet-4-6"
    OPUS = "claude-opus-4-6"
    HAIKU = "claude-haiku-4-5-20251001"
    SONNET_3_7 = "claude-3-7-sonnet-20250219"
    SONNET_3_5 = "claude-3-5-sonnet-20241022"
    HAIKU_3_5 = "claude-3-5-haiku-20241022"
    OPUS_3 = "claude-3-opus-20240229"


DEFAULT_MODEL = Model.SONNET
