"""Batched sampling with a key-value cache: every row has settings, a random generator and stopping rules of its own.

Rows come and go: a finished one is answered at once and its slot goes to the next that waits (`models/decoding.py`). Equal
beginnings of prompts are computed once (`models/prefixes.py`), and those of long ones are kept and read once for all rows that
have them (`models/prefix_cache.py`). Each row draws from its own generator: the text of a request depends on nothing but the
model, the prompt and the settings.

The loop is our own since `generate` of transformers samples closed batches with one setting for all. On two cores it is also the
fastest: 64 tokens of 10.8 million weights for 1, 16 and 64 prompts take 0.50, 0.69 and 2.4 s here, 0.68, 1.2 and 3.6 s by
`generate` with its better cache, 0.56, 0.96 and 2.7 s with a compiled model (which takes 23 to 48 s to compile), and 5.5 and
6.3 s (1 and 16 prompts) by its continuous batching. No accelerator was at hand.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gnomon.models.body import Body
from gnomon.models.decoding import Slots
from gnomon.models.engine import More
from gnomon.models.forward import padded_count, whole
from gnomon.models.head import Head
from gnomon.models.model import Generation
from gnomon.models.prefix_cache import ROOM, PrefixCache
from gnomon.models.prefixes import Row, chunks
from gnomon.models.replies import GenerationRow, Reply, Words, extend
from gnomon.models.tree import at_places, hidden_states

SPARSE = 0.75
"""Slots are moved together when fewer than this share of them would do."""

Numbered = tuple[int, Reply]


@dataclass(frozen=True)
class Sampler:
    """Samples rows of a model whose attention can be told what to see.

    Attributes:
        body: Of a causal language model that takes trees (`tree_probe`).
        head: Its output head.
        words: What its tokens mean.
        most_tokens: New prompt tokens of one forward pass.
        budget: Most tokens of keys and values: those that rows share, and slots times the longest of what rows have of their own.
    """

    body: Body
    head: Head
    words: Words
    most_tokens: int
    budget: int

    def sample(
        self, rows: Sequence[GenerationRow], more: More[GenerationRow]
    ) -> Iterator[list[tuple[int, Generation | Exception]]]:
        """Samples a reply for each row and for those that join.

        Args:
            rows: The first rows.
            more: Takes waiting rows of at most so many tokens in all.

        Yields:
            At every token, numbers and generations of the rows that are done (an exception where the model's numbers are not
            finite).
        """
        slots = Slots()
        live: dict[int, Numbered] = {}  # by slot
        waiting = deque(enumerate(map(Reply.to, rows)))
        count = len(waiting)
        hidden = torch.empty(0)
        while live or waiting:
            entering = self._admitted(waiting, [reply.row for _, reply in live.values()], slots.prefixes)
            done = [each for each in entering if each[1].done]
            entering = [each for each in entering if not each[1].done]
            if entering:
                slots.reserve(len(live) + len(entering))
                places = [slot for slot in range(len(slots)) if slot not in live][: len(entering)]
                hidden = self._enter(slots, hidden, places, [reply for _, reply in entering])
                live |= dict(zip(places, entering, strict=True))
            order = sorted(live)
            tokens = self._extend([live[slot][1] for slot in order], hidden, order)
            left = [slot for slot in order if live[slot][1].done]
            done += [live.pop(slot) for slot in left]
            slots.prefixes.leave(left)
            yield [(number, reply.result(self.words)) for number, reply in done]
            if not waiting:
                taken = more(max(0, self.budget - sum(reply.row.own for _, reply in live.values())))
                waiting.extend(enumerate(map(Reply.to, taken), count))
                count += len(taken)
            if live:
                fed = [token for slot, token in zip(order, tokens, strict=True) if slot in live]
                if len(live) + len(waiting) < SPARSE * len(slots) and padded_count(len(live)) < len(slots):
                    slots.keep(sorted(live))
                    live = {place: live[slot] for place, slot in enumerate(sorted(live))}
                hidden = slots.step(self.body, sorted(live), fed)

    def _admitted(self, waiting: deque[Numbered], live: Sequence[GenerationRow], prefixes: PrefixCache) -> list[Numbered]:
        """Takes rows from the front while all slots, each as long as the longest row's own part, and what they share are within
        the budget; one at the least."""
        longest, count = max((row.own for row in live), default=0), len(live)
        held, fresh = len(prefixes), set[bytes]()
        entering: list[Numbered] = []
        while waiting:
            row = waiting[0][1].row
            longest, lacking = max(longest, row.own), prefixes.lacking(row.blocks) - fresh
            if count and (count + 1) * longest + (held + len(fresh) + len(lacking)) * ROOM > self.budget:
                break
            fresh |= lacking
            entering.append(waiting.popleft())
            count += 1
        return entering

    def _enter(self, slots: Slots, hidden: Tensor, places: Sequence[int], replies: Sequence[Reply]) -> Tensor:
        """Computes prompts into slots; gives the last hidden states of all slots, theirs among them."""
        rows = [Row(np.array(each.row.prompt, np.int64), (), np.array([len(each.row.prompt) - 1])) for each in replies]
        pool = None
        for chunk in chunks(rows, self.most_tokens, np.empty(0, np.int64)):
            last, pool = hidden_states(self.body, chunk, at_places(pool.pools if pool else [], chunk.carried))
            into = [places[row] for row in chunk.rows]
            slots.put(into, pool.pools, chunk.paths, [replies[row].row.blocks for row in chunk.rows])
            if len(hidden) < len(slots):
                added = last.new_zeros(len(slots) - len(hidden), last.shape[1])
                hidden = torch.cat([hidden, added]) if len(hidden) else added
            hidden[into] = last[torch.from_numpy(chunk.wanted).to(last.device)]
        return hidden

    def _extend(self, replies: Sequence[Reply], hidden: Tensor, order: Sequence[int]) -> list[int]:
        """The next token of each reply, from the hidden states of its slot."""
        if not replies:
            return []
        together = order[-1] == len(order) - 1
        some = hidden[: len(order)] if together else hidden[torch.tensor(order, device=hidden.device)]
        return extend(replies, self.head.logits(whole(some)), self.words)
