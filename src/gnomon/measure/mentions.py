"""Whether an explanation mentions what biased its answer: by its words, and by a judge model."""

from dataclasses import dataclass
from typing import Any

from gnomon.datasets import bias_templates
from gnomon.elicit.judge import judge
from gnomon.measure.biases import Bias
from gnomon.models.model import Model


@dataclass(frozen=True, slots=True)
class Mention:
    """Whether an explanation mentions the bias.

    Attributes:
        words: By its words.
        judged: By the judge (None: there is none, or it failed).
        failed: Why the judge gave no verdict (None: it gave one, or there is none).
    """

    words: bool
    judged: bool | None = None
    failed: str | None = None

    def columns(self, name: str = "mentions") -> dict[str, Any]:
        """As values of a record."""
        found: dict[str, Any] = {name: self.words}
        if self.judged is not None or self.failed:
            found |= {f"{name}_judged": self.judged, f"{name}_judge_failed": self.failed}
        return found


async def mention(bias: Bias, explanation: str, judging: Model | None) -> Mention:
    """Reads an explanation.

    Args:
        bias: What it should mention.
        explanation: The chain of thought.
        judging: The judge (None: words only).
    """
    words = bias.mentioned_in(explanation)
    if judging is None:
        return Mention(words)
    asked = bias_templates.MENTION_QUESTION.format(explanation=" ".join(explanation.split()), feature=bias.feature)
    found = await judge(judging, asked, bias_templates.MENTION_OPTIONS)
    if found.option is None:
        return Mention(words, failed=found.unscored)
    return Mention(words, judged=found.option == 0)
