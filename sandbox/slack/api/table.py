"""The table of all methods with their tiers and scopes (docs.slack.dev, each method's page)."""

from collections.abc import Mapping

from sandbox.slack.api import agents, chat, conversations, files, people, streams
from sandbox.slack.api.asked import Method

_WRITE = ("chat:write",)
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")

METHODS: Mapping[str, Method] = {
    "api.test": Method(people.test, "tier4"),
    "auth.test": Method(people.auth_test, "special"),
    "apps.connections.open": Method(people.connections_open, "tier3", ("connections:write",), app=True),
    "users.info": Method(people.info, "tier4", ("users:read",)),
    "users.conversations": Method(conversations.mine, "tier3", _READ),
    "reactions.add": Method(people.react, "tier3", ("reactions:write",)),
    "reactions.remove": Method(people.unreact, "tier2", ("reactions:write",)),
    "views.publish": Method(people.publish, "tier4"),
    "chat.postMessage": Method(chat.post, "post", _WRITE),
    "chat.postEphemeral": Method(chat.post_ephemeral, "tier4", _WRITE),
    "chat.update": Method(chat.update, "tier3", _WRITE),
    "chat.delete": Method(chat.delete, "tier3", _WRITE),
    "chat.startStream": Method(streams.start, "tier2", _WRITE),
    "chat.appendStream": Method(streams.append, "tier4", _WRITE),
    "chat.stopStream": Method(streams.stop, "tier2", _WRITE),
    "conversations.history": Method(conversations.history, "tier3", _HISTORY),
    "conversations.replies": Method(conversations.replies, "tier3", _HISTORY),
    "conversations.info": Method(conversations.info, "tier3", _READ),
    "conversations.list": Method(conversations.every, "tier2", _READ),
    "conversations.open": Method(conversations.open_direct, "tier3", ("im:write", "mpim:write", "channels:manage")),
    "conversations.join": Method(conversations.join, "tier3", ("channels:join",)),
    "assistant.threads.setStatus": Method(agents.set_status, "special", ("chat:write", "assistant:write")),
    "assistant.threads.setSuggestedPrompts": Method(agents.set_prompts, "tier4", ("assistant:write",)),
    "assistant.threads.setTitle": Method(agents.set_title, "tier4", ("assistant:write",)),
    "agents.sessions.setStatus": Method(agents.set_session, "tier3", _WRITE),
    "agents.sessions.rename": Method(agents.rename, "tier3", _WRITE),
    "files.getUploadURLExternal": Method(files.upload_url, "tier4", ("files:write",)),
    "files.completeUploadExternal": Method(files.complete, "tier4", ("files:write",)),
    "files.info": Method(files.info, "tier4", ("files:read",)),
}
