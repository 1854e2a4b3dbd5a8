"""The table of all routes, with the bucket that each is counted in."""

from sandbox.discord.config import SimulatorConfig
from sandbox.discord.rest import answers, commands, messages, places, threads
from sandbox.discord.rest.asked import Route


def routes(config: SimulatorConfig) -> list[Route]:
    """All routes of the REST API that the simulator knows."""
    one = "/channels/{channel}/messages/{message}"
    post, patch = ("messages", "messages") if config.share_bucket else ("messages-post", "messages-patch")
    write, other, thread = config.channel_limit, config.other_limit, config.thread_limit
    c, g = "channel", "guild"
    mine = one + "/reactions/{emoji}/@me"
    reacting, webhook = config.reaction_limit, config.webhook_limit
    answering, said = "/webhooks/{application}/{token}", "/webhooks/{application}/{token}/messages/"
    belonging = "/channels/{channel}/thread-members"
    return [
        Route("POST", "/channels/{channel}/messages", post, c, write, messages.create),
        Route("PATCH", one, patch, c, write, messages.edit),
        Route("DELETE", one, "messages-delete", c, config.delete_limit, messages.delete, 204),
        Route("GET", one, "message", c, config.history_limit, messages.get),
        Route("GET", "/channels/{channel}/messages", "history", c, config.history_limit, messages.history),
        Route("POST", "/channels/{channel}/typing", "typing", c, config.typing_limit, messages.typing, 204),
        Route("PUT", mine, "reactions", c, reacting, messages.react, 204),
        Route("DELETE", mine, "reactions", c, reacting, messages.unreact, 204),
        Route("POST", "/interactions/{interaction}/{token}/callback", "callback", "token", webhook, answers.callback, free=True),
        Route("POST", answering, "webhook", "token", webhook, answers.follow, free=True),
        Route("GET", said + "@original", "webhook", "token", webhook, answers.get, free=True),
        Route("PATCH", said + "@original", "webhook", "token", webhook, answers.edit, free=True),
        Route("DELETE", said + "@original", "webhook", "token", webhook, answers.delete, 204, free=True),
        Route("GET", said + "{message}", "webhook", "token", webhook, answers.get, free=True),
        Route("PATCH", said + "{message}", "webhook", "token", webhook, answers.edit, free=True),
        Route("DELETE", said + "{message}", "webhook", "token", webhook, answers.delete, 204, free=True),
        *_registering("/applications/{application}/commands", config),
        *_registering("/applications/{application}/guilds/{guild}/commands", config),
        Route("POST", one + "/threads", "threads", c, thread, threads.on_message, 201),
        Route("POST", "/channels/{channel}/threads", "threads", c, thread, threads.alone, 201),
        Route("PUT", belonging + "/@me", "thread-members", c, other, threads.join, 204),
        Route("DELETE", belonging + "/@me", "thread-members", c, other, threads.leave, 204),
        Route("PUT", belonging + "/{user}", "thread-members", c, other, threads.add, 204),
        Route("GET", belonging, "thread-members-list", c, other, threads.members),
        Route("GET", "/channels/{channel}", "channel", c, other, places.channel),
        Route("PATCH", "/channels/{channel}", "channel-edit", c, other, threads.change),
        Route("GET", "/guilds/{guild}", "guild", g, other, places.guild),
        Route("GET", "/guilds/{guild}/channels", "guild-channels", g, other, places.guild_channels),
        Route("GET", "/guilds/{guild}/threads/active", "guild-threads", g, other, threads.active),
        Route("GET", "/guilds/{guild}/members/{user}", "guild-member", g, other, places.member),
        Route("GET", "/users/@me", "me", None, other, places.me),
        Route("GET", "/users/@me/guilds", "my-guilds", None, other, places.my_guilds),
        Route("POST", "/users/@me/channels", "direct", None, other, places.direct),
        Route("GET", "/users/{user}", "user", None, other, places.user),
        Route("GET", "/oauth2/applications/@me", "application", None, other, places.application),
        Route("GET", "/applications/@me", "application", None, other, places.application),
        Route("GET", "/gateway", "gateway", None, other, places.gateway),
        Route("GET", "/gateway/bot", "gateway-bot", None, other, places.gateway_bot),
    ]


def _registering(path: str, config: SimulatorConfig) -> list[Route]:
    """The routes of the commands of one scope."""
    one, other = path + "/{command}", config.other_limit
    return [
        Route("GET", path, "commands", "guild", other, commands.every),
        Route("PUT", path, "commands-put", "guild", other, commands.overwrite, listed=True),
        Route("POST", path, "commands-post", "guild", other, commands.create),
        Route("GET", one, "command", "guild", other, commands.one),
        Route("PATCH", one, "command-patch", "guild", other, commands.change),
        Route("DELETE", one, "command-delete", "guild", other, commands.remove, 204),
    ]
