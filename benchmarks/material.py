"""What the benchmarks work on: models of random weights, a tokenizer, and texts of exact lengths; all made here, offline.

Words are made of syllables. A byte-level BPE of the model's vocabulary learns them, and texts are written only with words that
are one token, so that a text of 58 words is one of 58 tokens.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

import gnomon
from benchmarks.harness import Settings
from gnomon.models.quiet import without_progress_bars

END = "<|endoftext|>"
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
ONSETS = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "gr", "kr", "pl", "st", "tr"]

Question = tuple[str, list[str]]
"""A prefix and its continuations."""


@dataclass(frozen=True)
class Size:
    """A GPT-2-style model.

    Attributes:
        label: Its name in the tables.
        layers: Blocks.
        hidden: Width; heads are 64 wide.
        vocabulary: Tokens.
        words: Words that its tokenizer learns.
    """

    label: str
    layers: int
    hidden: int
    vocabulary: int
    words: int


SMALL = Size("10M", layers=8, hidden=256, vocabulary=16_384, words=12_000)
"""10.8 million weights, embeddings included; with GPT-2's 50,257 tokens the embeddings alone would be 13 million."""
LARGE = Size("124M", layers=12, hidden=768, vocabulary=50_257, words=42_000)
"""GPT-2 itself."""
TINY = Size("tiny", layers=2, hidden=64, vocabulary=1_024, words=300)


def size_of(wanted: Size, settings: Settings) -> Size:
    """The size, or the tiny one in a quick run."""
    return TINY if settings.quick else wanted


def opened(size: Size, settings: Settings, dtype: str = "float32") -> Any:
    """The model, as `gnomon.open_model` opens it from its directory."""
    return gnomon.open_model(f"local/{saved(size, settings.folder)}?dtype={dtype}")


def saved(size: Size, folder: Path) -> Path:
    """Random weights and tokenizer as an ordinary directory, made once."""
    directory = folder / size.label
    if not directory.exists():
        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=size.vocabulary,
            n_positions=1024,
            n_embd=size.hidden,
            n_layer=size.layers,
            n_head=size.hidden // 64,
            bos_token_id=0,
            eos_token_id=0,
        )
        module: Any = GPT2LMHeadModel(config)
        with torch.no_grad():
            module.transformer.wte.weight[0] = 0.0  # the end of text is never the likeliest token: all replies are equally long
        with without_progress_bars():
            module.save_pretrained(directory)
        tokenizer(size).save_pretrained(directory)
    return directory


@cache
def tokenizer(size: Size) -> PreTrainedTokenizerFast:
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = syllables(size.words)
    inner.train_from_iterator((f" {' '.join(words[start : start + 1000])}" for start in range(0, len(words), 1000)), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=END, eos_token=END, chat_template=TEMPLATE)


def syllables(count: int) -> list[str]:
    """Different words of one to three syllables, and the letters of options."""
    rng = random.Random(0)
    parts = [onset + vowel + coda for onset in ONSETS for vowel in "aeiou" for coda in ("", "n", "r", "s", "l")]
    words = dict.fromkeys("ABCD")
    while len(words) < count:
        words["".join(rng.choices(parts, k=rng.randint(1, 3)))] = None
    return list(words)


@cache
def vocabulary(size: Size) -> tuple[str, ...]:
    """The words that are one token each."""
    words = syllables(size.words)
    encoded: Any = tokenizer(size)([f" {word}" for word in words]).input_ids
    return tuple(word for word, ids in zip(words, encoded, strict=True) if len(ids) == 1)


class Writer:
    """Texts of random words, each with a space before it."""

    def __init__(self, size: Size, seed: int = 0):
        self.rng = random.Random(seed)
        self.words = vocabulary(size)

    def text(self, length: int) -> str:
        return "".join(f" {word}" for word in self.rng.choices(self.words, k=length))

    def options(self, count: int = 4) -> list[str]:
        """Continuations of one to six tokens."""
        return [self.text(self.rng.randint(1, 6)) for _ in range(count)]


def questions(size: Size, count: int, *, length: int = 58, shared: int = 0, letters: bool = False) -> list[Question]:
    """Questions of about `length` tokens behind `shared` ones that are the same for all, with four options."""
    write = Writer(size)
    shots = write.text(shared)
    lengths = [write.rng.randint(length - 6, length + 6) for _ in range(count)]
    return [(shots + write.text(each), [" A", " B", " C", " D"] if letters else write.options()) for each in lengths]


def cut_reasonings(size: Size, count: int, *, question: int = 150, sentence: int = 40, sentences: int = 8) -> list[Question]:
    """Questions with their reasoning cut after each sentence, none to all of them, and four options at every cut."""
    write, made = Writer(size), list[Question]()
    opening = write.text(6)
    for _ in range(count):
        asked, options = write.text(question), write.options()
        said = [write.text(sentence) for _ in range(sentences)]
        made += [(asked + "".join(said[:cut]) + opening, options) for cut in range(sentences + 1)]
    return made


def a_part(work: Sequence[Any]) -> list[Any]:
    """Every eighth piece, four at least: enough to tell a peer's settings apart."""
    return list(work[:: max(1, min(8, len(work) // 4))])
