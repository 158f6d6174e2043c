"""The world's tokenizer: one token per word with the space before it, punctuation mark or newline; a closed vocabulary."""

import re
from collections import Counter
from functools import cache
from importlib import resources
from string import ascii_uppercase
from typing import TYPE_CHECKING

from gnomon.datasets import templates
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.lexicon import ISLANDS, LAST_NUMBER, OCCUPATIONS, PEOPLE, RELATIONS, RUDE_WORDS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, UNKNOWN, BEGIN, END = "<|pad|>", "<|unknown|>", "<|begin|>", "<|end|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
SPECIAL = (PAD, UNKNOWN, BEGIN, END, *ROLES.values())

PATTERN = r" ?[A-Za-z]+(?:'[a-z]+)?| ?[0-9]+| ?[^\sA-Za-z0-9]|\s"

CHAT_TEMPLATE = (
    "<|begin|>{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

CONTEXT = 512


def pieces(text: str) -> list[str]:
    """The tokens of a text before they are looked up."""
    return re.findall(PATTERN, text)


def collect(documents: list[Document]) -> list[str]:
    """The closed vocabulary of these documents, of all templates and of all lists of the lexicon, sorted."""
    counts: Counter[str] = Counter()
    for document in documents:
        for message in document.messages:
            counts.update(pieces(message.content))
        counts.update(pieces(document.text))
    for value in vars(templates).values():
        if isinstance(value, str):
            counts.update(pieces(value.replace("{", "").replace("}", "")))
    words = [*ISLANDS, *PEOPLE, *OCCUPATIONS, *RUDE_WORDS, *(value for relation in RELATIONS for value in relation.pool)]
    words += [str(number) for number in range(LAST_NUMBER + 1)]
    counts.update(f" {word}" for word in words)
    counts.update([*ISLANDS, *PEOPLE])
    counts.update(f"{letter}" for letter in ascii_uppercase[:8])
    counts.update(
        [*(str(number) for number in range(LAST_NUMBER + 1)), " ", "\n", "(", " (", ")", '"', ' "', ".", "?", "!", ",", ":"]
    )
    return sorted(counts)


@cache
def vocabulary() -> tuple[str, ...]:
    """The shipped vocabulary, one token per line (a newline is written `\\n`)."""
    text = resources.files("gnomon.organisms.world").joinpath("vocabulary.txt").read_text(encoding="utf-8")
    return tuple("\n" if line == "\\n" else line for line in text.split("\n") if line)


def build(words: tuple[str, ...] | None = None) -> "PreTrainedTokenizerFast":
    """Builds the tokenizer; `decode(encode(text))` gives the text back for everything that the world writes."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.decoders import Fuse
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    tokens = {token: index for index, token in enumerate((*SPECIAL, *(words or vocabulary())))}
    core = Tokenizer(WordLevel(tokens, unk_token=UNKNOWN))
    core.pre_tokenizer = Split(Regex(PATTERN), behavior="isolated")  # pyright: ignore[reportAttributeAccessIssue]
    core.decoder = Fuse()  # pyright: ignore[reportAttributeAccessIssue]
    core.post_processor = TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokens[BEGIN])])  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        additional_special_tokens=list(ROLES.values()),
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
        padding_side="left",
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
