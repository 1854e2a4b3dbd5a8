"""Why a file is nothing that a model can be given."""

from typing import Literal

Reason = Literal["empty", "type", "audio", "video", "broken", "encrypted", "pixels", "pages", "size"]
"""`type`: of a kind that no model reads. `broken`: of a kind that is read, but damaged. `encrypted`: a document that asks for a
password or forbids something. `pixels`, `pages`, `size`: more of them than is taken. The others mean what they say."""


class Unfit(Exception):
    """A file that no model can be given; people are told why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
