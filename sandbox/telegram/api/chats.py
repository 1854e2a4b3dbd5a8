"""The bot itself, chats and their members."""

from sandbox.telegram.api.asked import Asked
from sandbox.telegram.errors import bad
from sandbox.telegram.model import PRESENT, Json
from sandbox.telegram.payloads import chat_json, member_json, user_json


def get_me(asked: Asked) -> Json:
    """`getMe`."""
    world = asked.world
    return user_json(world.state.users[world.me]) | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": asked.api.config.topics_in_private,
        "allows_users_to_create_topics": asked.api.config.topics_in_private,
    }


def get_chat(asked: Asked) -> Json:
    """`getChat`: a ChatFullInfo."""
    chat = asked.chat(write=False)
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    told = chat_json(asked.world, chat) | {"accent_color_id": 0, "max_reaction_count": 11}
    return told | {"accepted_gift_types": dict.fromkeys(gifts, False)}


def get_member(asked: Asked) -> Json:
    """`getChatMember`."""
    chat, user = asked.chat(write=False), asked.number("user_id")
    if user not in asked.world.state.users:
        raise bad("invalid user_id specified")
    return member_json(asked.world, user, asked.world.standing(chat, user))


def get_administrators(asked: Asked) -> list[Json]:
    """`getChatAdministrators`: without other bots (core.telegram.org/bots/api)."""
    world, chat = asked.world, asked.chat(write=False)
    if chat.kind == "private":
        raise bad("there are no administrators in the private chat")
    found = [user for user in chat.members if world.rules(chat, user) and (user == world.me or not world.state.users[user].bot)]
    return [member_json(world, user, chat.members[user]) for user in found]


def count_members(asked: Asked) -> int:
    """`getChatMemberCount`."""
    return sum(status in PRESENT for status in asked.chat(write=False).members.values())


def leave(asked: Asked) -> bool:
    """`leaveChat`."""
    chat = asked.chat()
    if chat.kind == "private":
        raise bad("chat not found")
    asked.world.set_member(chat, asked.world.me, "left", asked.world.me)
    return True
