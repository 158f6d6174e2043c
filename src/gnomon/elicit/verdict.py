"""A verdict in words: which of a few given continuations the model would say next.

As in `choose`, nothing is generated and nothing parsed; the continuations are words instead of letters.
"""

import math
from collections.abc import Sequence

from gnomon.datasets.messages import Conversation
from gnomon.elicit.choose import Choice
from gnomon.models.model import Model

NO_VERDICT = "none of the verdicts has any probability"


async def verdict(model: Model, opened: Conversation, words: Sequence[str]) -> Choice:
    """Reads out which continuation the model would say next; `letter` is that continuation.

    Args:
        model: The model.
        opened: A conversation whose last message is the assistant's, such as `The argument is`.
        words: The continuations, with the space before them: ` good`, ` weak`.

    Raises:
        Unsupported: The model can neither give nor sample continuation scores.
    """
    scores = await model.score(opened, list(words))
    method = scores[0].method
    logprobs: list[float] = []
    for word, score in zip(words, scores, strict=True):
        if score.logprob is None or math.isnan(score.logprob):
            return Choice(None, method=score.method, unscored=f"no score for {word!r}: {score.reason or 'the model gave none'}")
        logprobs.append(score.logprob)
    highest = max(logprobs)
    if highest == -math.inf:
        return Choice(None, mass=0.0, method=method, unscored=NO_VERDICT)
    weights = [math.exp(one - highest) for one in logprobs]
    total = math.fsum(weights)
    best = max(range(len(words)), key=weights.__getitem__)
    mass = min(total * math.exp(highest), 1.0)
    return Choice(words[best], tuple(weight / total for weight in weights), mass, method)
