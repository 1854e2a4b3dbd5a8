"""claude.ai's web API on one's own machine: conversations as trees, streamed answers, styles, files, limits, refusals.

That API is undocumented. Each rule here names where it was seen:

* claude-webapi: the package claude-webapi 1.0.352 on PyPI, its requests recorded and its source read;
* captures: requests of claude.ai's own page, July 2026, published on GitHub by authors of browser extensions;
* Claude-QoL: lugia19/Claude-QoL on GitHub, content/helpers/claude-api.js;
* clewdr: Xerxes-2/clewdr on GitHub, src/error.rs and src/claude_web_state/;
* OmniRoute: diegosouzapw/OmniRoute on GitHub, open-sse/executors/claude-web/stream.ts;
* endpoint list: the endpoints of claude.ai's page bundle of March 2026, as published on GitHub;
* assumed: nobody has recorded it. A client must not depend on it; where it matters there is a choice to make it otherwise.
"""

from .config import API_ORGANIZATION, CHAT_ORGANIZATION, Config, Organization
from .model import ROOT
from .script import Script
from .simulator import ClaudeWebSimulator

__all__ = [
    "API_ORGANIZATION",
    "CHAT_ORGANIZATION",
    "ROOT",
    "ClaudeWebSimulator",
    "Config",
    "Organization",
    "Script",
]
