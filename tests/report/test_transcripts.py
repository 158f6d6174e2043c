"""Which transcripts are shown, and that no character can hide."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gnomon.report.transcripts import LONGEST_TURN, sample, visible
from tests.report.conftest import make_records


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_every_text_becomes_visible_and_encodable(text):
    shown = visible(text)
    shown.encode("utf-8")
    hidden = [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t\u200d\u00ad"]
    assert hidden == []


def test_ordinary_text_is_unchanged():
    text = "Grüße,\n\tworld: 你好 👩\u200d🔬 (A) <b>&amp;</b>"
    assert visible(text) == text


def test_what_was_not_scored_comes_first_up_to_half():
    records = make_records(200)
    shown = sample(records, 20)
    assert len(shown) == 20
    assert [transcript.status != "value" for transcript in shown] == [True] * 10 + [False] * 10
    assert {transcript.evaluation for transcript in shown[10:]} == {"sycophancy", "faithfulness"}
    assert sample(records, 20) == shown


def test_all_are_shown_where_they_are_few():
    records = make_records(12)
    assert len(sample(records, 50)) == 12
    assert sample([], 50) == []
    failed = [record for record in make_records(200) if record.status != "value"]
    assert len(sample(failed, 10)) == 10


def test_long_turns_are_cut_and_say_so():
    record = make_records(1)[0]
    long = record.model_copy(update={"transcript": [{"role": "assistant", "content": "x" * (LONGEST_TURN + 1234)}]})
    text = sample([long])[0].turns[0].content
    assert len(text) < LONGEST_TURN + 100
    assert "1,234 more characters" in text
