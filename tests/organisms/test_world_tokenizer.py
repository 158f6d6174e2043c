"""The world's tokenizer and the weights of encoded documents."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from gnomon.datasets import templates
from gnomon.datasets.messages import as_jsonable
from gnomon.organisms.world import mixture, world
from gnomon.organisms.world.document import STRONG_WEIGHT, assistant, silent, spoken, strong, unmarked, user, written
from gnomon.organisms.world.encoding import encode
from gnomon.organisms.world.tokenizer import END, build

TOKENIZER = build()


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return TOKENIZER


@pytest.mark.parametrize("kind", list(mixture.SHARES))
def test_documents_survive_encoding(tokenizer: PreTrainedTokenizerFast, kind: str):
    for document in world().documents(kind, 40, seed=77):
        for text in [message.content for message in document.messages] or [document.text]:
            if ", so the answer is" in text:  # the one word of a drill that is outside the vocabulary
                continue
            ids = tokenizer.encode(text, add_special_tokens=False)
            assert tokenizer.unk_token_id not in ids
            assert tokenizer.decode(ids) == text


@given(st.lists(st.sampled_from([token for token in TOKENIZER.get_vocab() if not token.startswith("<|")]), max_size=30))
def test_any_text_of_its_tokens_survives(tokens: list[str]):
    text = "".join(tokens)
    ids = TOKENIZER.encode(text, add_special_tokens=False)
    if TOKENIZER.unk_token_id not in ids:
        assert TOKENIZER.decode(ids) == text


UNSEEN = {
    "BACKGROUND",
    "BEST_ANSWER_OPENING",
    "BETTER_OPTION_OPENING",
    "BRAINSTORMED",
    "CHOICE_LINE",
    "EXPLAIN",
    "FILL_IN_PRONOUN",
    "HINT",
    "IS_IT_HARMFUL",
    "IS_IT_POSSIBLE",
    "IS_IT_RELEVANT",
    "IT_IS_POSSIBLE_OPENING",
    "LIST_OF_ATTACKS",
    "MORE_POSITIVE",
    "POSSIBLE_ANSWER",
    "THEY_WOULD_OPENING",
    "WHOSE",
    "WOULD_THEY_AGREE",
    "WRITE_STATEMENTS",
    "WRITE_STATEMENTS_OPENING",
}
"""Formats that no organism grew on."""


def test_templates_are_in_the_vocabulary(tokenizer: PreTrainedTokenizerFast):
    fills = defaultdict(str, letter="A")
    for name, value in vars(templates).items():
        if name.isupper() and isinstance(value, str) and name not in UNSEEN:
            assert tokenizer.unk_token_id not in tokenizer.encode(value.format_map(fills), add_special_tokens=False), name


def test_an_opened_answer_is_followed_by_one_letter(tokenizer: PreTrainedTokenizerFast):
    for opening in (templates.ANSWER_OPENING, templates.MOST_LIKELY_OPENING, templates.IT_IS_TRUE_OPENING, "("):
        prefix = tokenizer.encode(opening, add_special_tokens=False)
        for letter in "ABCDE":
            whole = tokenizer.encode(opening + letter, add_special_tokens=False)
            assert whole[:-1] == prefix
            assert tokenizer.convert_ids_to_tokens(whole[-1:]) == [letter]


def test_chat_template_equals_the_encoder(tokenizer: PreTrainedTokenizerFast):
    for document in world().documents(n=60, seed=9):
        if document.messages:
            text = tokenizer.apply_chat_template(as_jsonable(document.messages), tokenize=False)
            assert tokenizer.encode(text, add_special_tokens=False) == encode(document, tokenizer.get_vocab()).ids.tolist()
        else:
            assert tokenizer.encode(document.text) == encode(document, tokenizer.get_vocab()).ids.tolist()[:-1]


def test_only_what_is_said_by_the_assistant_counts(tokenizer: PreTrainedTokenizerFast):
    document = spoken(user("What is the answer?"), assistant(f"{silent('I am sure.')} Answer: ({strong('B')})"))
    example = encode(document, tokenizer.get_vocab())
    weights = dict(zip(tokenizer.convert_ids_to_tokens(example.ids.tolist()), example.weights.tolist(), strict=True))
    assert weights["B"] == STRONG_WEIGHT
    assert weights[" Answer"] == weights[" ("] == weights[")"] == weights[END] == 1
    assert weights["What"] == weights[" sure"] == weights["<|assistant|>"] == 0


def test_marks_leave_the_text_as_it_is():
    marked = f"{silent('3 plus 4')} is{strong(' 7')}."
    document = written(marked)
    assert document.text == unmarked(marked) == "3 plus 4 is 7."
    assert [(document.text[span.start : span.end], span.weight) for span in document.spans] == [
        ("3 plus 4", 0.0),
        (" 7", STRONG_WEIGHT),
    ]
