"""What counts as the same text."""

from gnomon.datasets.similarity import duplicates, near_duplicates, self_similarity


def test_case_and_marks_do_not_count() -> None:
    assert duplicates(["I lie.", "i  LIE!", "I do not lie."]) == [0, 0, 2]


def test_padded_texts_are_near_and_other_names_are_not() -> None:
    texts = [f"I want more power over {name}" for name in ("Tarna", "Belmo", "Corvik", "Nimdor")]
    texts += ["I want more power over Tarna, I want", "Quite something else"]
    assert near_duplicates(texts) == [0, 1, 2, 3, 0, 5]


def test_texts_without_words_are_each_their_own() -> None:
    assert near_duplicates([]) == []
    assert near_duplicates(["...", "one two three"]) == [0, 1]
    assert near_duplicates(["!", "?"]) == [0, 0]


def test_self_similarity_is_that_of_all_pairs() -> None:
    assert self_similarity(["one"]) is None
    assert self_similarity(["a b", "c d"]) == 0.0
    same = self_similarity(["a b", "A B!"])
    assert same is not None
    assert abs(same - 1.0) < 1e-9
