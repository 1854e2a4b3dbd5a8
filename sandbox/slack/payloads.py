"""Users, channels, messages and files as Slack's answers and events show them (docs.slack.dev, Objects)."""

from sandbox.slack import defaults
from sandbox.slack.model import Channel, File, Json, Message, User
from sandbox.slack.world import World


def user_json(user: User) -> Json:
    """A user object (docs.slack.dev, User object)."""
    bot = user.bot_id is not None
    return {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "real_name": user.display,
        "deleted": False,
        "is_bot": bot,
        "is_app_user": False,
        "is_restricted": False,
        "is_stranger": user.team != defaults.TEAM,
        "tz": "Europe/Berlin",
        "profile": {
            "real_name": user.display,
            "display_name": user.name,
            "team": user.team,
            **({"bot_id": user.bot_id, "api_app_id": defaults.APP if user.id == defaults.BOT else ""} if bot else {}),
        },
    }


def channel_json(world: World, channel: Channel) -> Json:
    """A conversation object (docs.slack.dev, Conversation object)."""
    body: Json = {
        "id": channel.id,
        "created": int(channel.created),
        "is_archived": channel.archived,
        "is_im": channel.kind == "im",
        "is_mpim": False,
        "is_channel": channel.kind == "channel",
        "is_group": False,
        "is_private": channel.kind != "channel",
        "is_ext_shared": channel.external,
        "is_org_shared": False,
        "context_team_id": world.team,
    }
    if channel.kind == "im":
        return body | {"user": channel.person, "is_open": True}
    return body | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": world.me in channel.members,
        "is_read_only": channel.read_only,
        "num_members": len(channel.members),
        "creator": defaults.PEOPLE["user1"][0],
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def message_json(world: World, message: Message, *, metadata: bool = False) -> Json:
    """A message as history and events carry it (docs.slack.dev, Message event). `metadata` says whether with its own."""
    user = world.state.users[message.user]
    if message.deleted is not None:
        # What is left of a root with replies (docs.slack.dev, Message event: a deleted parent is a tombstone).
        gone: Json = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": message.ts, "hidden": True}
        return gone | {"text": "This message was deleted."} | _thread(world, message)
    body: Json = {"type": "message", "ts": message.ts, "text": message.text}
    if message.subtype is not None:
        body["subtype"] = message.subtype
    if message.subtype == "bot_message":
        body |= {"bot_id": user.bot_id, "username": user.name}
    else:
        body |= {"user": user.id, "team": user.team}
    if user.bot_id is not None and message.subtype != "bot_message":
        body["bot_id"] = user.bot_id
        if user.id == world.me:
            profile = {"id": user.bot_id, "app_id": defaults.APP, "name": user.display, "team_id": world.team, "deleted": False}
            body |= {"app_id": defaults.APP, "bot_profile": profile}
    elif user.bot_id is None:
        body["client_msg_id"] = f"00000000-0000-4000-8000-{int(message.ts.replace('.', '')) % 10**12:012d}"
    if message.blocks:
        body["blocks"] = message.blocks
    if message.attachments:
        body["attachments"] = message.attachments
    if message.files:
        body |= {"files": [file_json(world, world.state.files[each], outside=True) for each in message.files], "upload": False}
    if message.edited is not None:
        body["edited"] = {"user": user.id, "ts": f"{int(message.edited)}.000000"}
    if message.stream is not None:
        # Named in the answer of chat.stopStream (@slack/web-api, ChatStopStreamResponse); its words are those that apps report.
        body["streaming_state"] = "in_progress" if world.standing(message) == "streaming" else "completed"
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ]
    if metadata and message.metadata is not None:
        body["metadata"] = message.metadata
    return body | _thread(world, message)


def _thread(world: World, message: Message) -> Json:
    if message.thread is not None:
        root = world.state.messages[message.thread]
        return {"thread_ts": message.thread, "parent_user_id": root.user}
    replies = world.replies(message.ts)
    if not replies:
        return {}
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": list(dict.fromkeys(each.user for each in replies)),
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }


def file_json(world: World, file: File, *, outside: bool = False) -> Json:
    """A file object (docs.slack.dev, File object). `outside`: in a message, where a file of another workspace has only its id
    (docs.slack.dev, File object: file_access "check_file_info")."""
    if outside and file.connect:
        return {"id": file.id, "mode": "file_access", "file_access": "check_file_info", "created": 0, "timestamp": 0, "user": ""}
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    if file.mode in ("tombstone", "hidden_by_limit"):
        return {"id": file.id, "mode": file.mode, "created": int(file.created), "timestamp": int(file.created)}
    kind = file.name.rpartition(".")[2].lower() if "." in file.name else "binary"
    body: Json = {
        "id": file.id,
        "created": int(file.created),
        "timestamp": int(file.created),
        "name": file.name,
        "title": file.title,
        "mimetype": file.media,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": file.user,
        "user_team": world.state.users[file.user].team,
        "editable": file.mode == "snippet",
        "size": file.size,
        "mode": file.mode,
        "is_external": file.mode == "external",
        "external_type": "unknown" if file.mode == "external" else "",
        "is_public": True,
        "file_access": "visible",
    }
    if file.mode == "external":
        return body | {"url_private": f"https://files.example/{file.name}"}
    base = f"{world.files.base}/files-pri/{world.team}-{file.id}"
    body |= {"url_private": f"{base}/{file.name}", "url_private_download": f"{base}/download/{file.name}"}
    if file.width is not None and file.height is not None:
        body |= {"original_w": file.width, "original_h": file.height}
    return body | ({"alt_txt": file.alt} if file.alt else {})
