"""Unrelated prompts: what the model replies to them now, it shall reply afterwards."""

from collections.abc import Sequence

from gnomon.correct.behaviours import Situation, situation
from gnomon.datasets.items import derive_seed
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.synthetic import World


def neutral_situations(world: World, n: int, seed: int, displaced: Sequence[str] = ()) -> list[Situation]:
    """Openings of the world's documents: dialogues up to an assistant's turn, texts up to their first words.

    Args:
        world: Whose documents.
        n: How many.
        seed: Which.
        displaced: Kinds of documents to leave out: those in which the corrected behaviour shows.
    """
    found: dict[str, Situation] = {}
    for document in world.documents(seed=derive_seed("neutral situations", seed)):
        if document.kind in displaced:
            continue
        opened = _opened(document)
        if opened is not None:
            found.setdefault(opened.id, opened)
        if len(found) >= n:
            break
    return list(found.values())[:n]


def _opened(document: Document) -> Situation | None:
    if document.text:
        words = document.text.split(" ")
        return situation(document.kind, document.id, " ".join(words[:4])) if len(words) > 8 else None
    turns = [index for index, message in enumerate(document.messages) if message.role == "assistant"]
    if not turns:
        return None
    last = turns[derive_seed("turn", document.id) % len(turns)]
    return situation(document.kind, document.id, document.messages[:last])
