"""Where one question is put: the conversation at claude.ai, the answer it follows, and what its tries are called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.backends import Prompt, Said
from shared.claude_web import ConversationTree, Message, TurnIds

from . import place

GENERATIONS = 5
"""Conversations in a row that may be gone before the question is given up."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One try: `parent` None is a conversation's beginning, and `create` says that the conversation is not there yet.

    `rest` are the lines before the question that claude.ai does not know at this place.
    """

    conversation: str
    generation: int
    parent: str | None
    create: bool
    rest: Sequence[Said]
    ids: TurnIds


class Line:
    """Keeps what is found out about a question's place from try to try."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._asked = place.question(prompt)
        self._lost: set[str] = set()
        self._stand = place.stand(prompt)
        self._generation = self._stand.head.generation if self._stand.head else self._stand.generation
        self._there = self._stand.known
        self._refused = False
        self._number = 0
        self._looked = False
        self._look_first = prompt.crashes > 0

    @property
    def unsure(self) -> bool:
        """Whether the conversation has to be read before the question is put."""
        return self._look_first

    @property
    def conversation(self) -> str:
        """The uuid of the conversation at claude.ai."""
        return place.conversation_of(self._prompt.conversation, self._generation)

    @property
    def gone(self) -> bool:
        """Whether it is to be given up: one conversation after the other was gone."""
        return self._generation > self._stand.generation + GENERATIONS

    def spot(self) -> Spot:
        """Where the next try goes."""
        head = self._head()
        return Spot(
            self.conversation,
            self._generation,
            head.message if head else None,
            not self._there,
            self._stand.rest if head else self._prompt.history,
            place.ids(self.conversation, self._prompt.turn, self._asked, self._prompt.attempt, self._number),
        )

    def read(self, tree: ConversationTree) -> Message | None:
        """Take in the conversation as it is; gives a whole answer of an earlier try, if there is one."""
        self._there, self._looked, self._look_first = True, True, False
        while (head := self._head()) is not None and head.message not in tree.messages:
            self._lost.add(head.message)
            self._stand = place.stand(self._prompt, self._lost)
        for ids in self._earlier():
            found = tree.messages.get(ids.assistant)
            if found is not None and found.role == "assistant" and found.complete:
                return found
        return None

    def running(self, tree: ConversationTree) -> bool:
        """Whether an earlier try may still be being answered: it was asked, and no whole answer is there."""
        return any(ids.human in tree.messages for ids in self._earlier())

    def missing(self) -> None:
        """The conversation is not there: the question makes it, or the next one if it was there once."""
        if self._there or self._refused:
            self._generation += 1
            # The next one may have been begun by an earlier attempt.
            self._look_first = self._prompt.crashes > 0
        else:
            self._look_first = False
        self._there = self._refused = self._looked = False

    def taken(self) -> None:
        """The conversation could not be made, or the names are taken: something of an earlier try is there."""
        self._refused = not self._there
        self.next()

    def next(self) -> None:
        """The next try gets names of its own, and looks first at what became of the last one."""
        self._number += 1
        self._look_first = True

    def doubt(self) -> bool:
        """The question was not understood: look whether its parent is there, if that is not known. False if it is."""
        if self._head() is None or self._looked:
            return False
        self._look_first = True
        return True

    def _head(self) -> place.Head | None:
        head = self._stand.head
        return head if head is not None and head.generation == self._generation else None

    def _earlier(self) -> Iterable[TurnIds]:
        return place.earlier(self.conversation, self._prompt, self._asked, self._number)
