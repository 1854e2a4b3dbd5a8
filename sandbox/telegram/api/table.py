"""Every method that is known, by its name in small letters: the server does not care how it is written."""

from sandbox.telegram.api import chats, commands, editing, receiving, sending, topics, uploads
from sandbox.telegram.api.asked import Handler, Method

_PLAIN: dict[str, Handler] = {
    "getMe": chats.get_me,
    "getChat": chats.get_chat,
    "getChatMember": chats.get_member,
    "getChatAdministrators": chats.get_administrators,
    "getChatMemberCount": chats.count_members,
    "leaveChat": chats.leave,
    "setMyCommands": commands.set_commands,
    "getMyCommands": commands.get_commands,
    "deleteMyCommands": commands.delete_commands,
    "getUpdates": receiving.get_updates,
    "setWebhook": receiving.set_webhook,
    "deleteWebhook": receiving.delete_webhook,
    "getWebhookInfo": receiving.get_webhook_info,
    "answerCallbackQuery": receiving.answer_query,
    "getFile": uploads.get_file,
    "sendMessage": sending.send_message,
    "sendMessageDraft": sending.send_draft,
    "sendChatAction": sending.send_action,
    "sendDocument": sending.send_document,
    "sendPhoto": sending.send_photo,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "setMessageReaction": editing.react,
    "createForumTopic": topics.create,
    "editForumTopic": topics.edit,
    "closeForumTopic": topics.close,
    "reopenForumTopic": topics.reopen,
    "deleteForumTopic": topics.delete,
}
METHODS = {name.lower(): Method(handler) for name, handler in _PLAIN.items()}
METHODS["sendmediagroup"] = Method(sending.send_album, sending.album_size)
