"""The benchmarks run: tiny sizes, one round, both sides, results compared."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.floor import PrefixTree, flops
from benchmarks.harness import Settings, Side, Work, main, markdown
from benchmarks.material import TINY, cut_reasonings, opened, questions, vocabulary

PEERS = {"scoring": "lm_eval", "memory": "lm_eval", "inspect_provider": "inspect_ai", "generation": "transformers"}


def run(name: str, only: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(PEERS[name], reason=f"no {PEERS[name]}: pip install -r benchmarks/requirements.txt")
    module = importlib.import_module(f"benchmarks.{name}")
    arguments = ["--quick", "--rounds", "1", "--threads", "1", "--out", str(folder / "out.json"), *only]
    assert (module.main(arguments) if name == "memory" else main(None, module.WORKS, arguments)) == 0
    printed = capsys.readouterr().out
    stored = json.loads((folder / "out.json").read_text())
    assert len(stored["rows"]) > 0
    assert all(row["work"] in printed for row in stored["rows"])
    assert stored["versions"]["gnomon"]


@pytest.mark.parametrize(("name", "work"), [("scoring", "10m-5shot"), ("generation", "10m-batch16")])
def test_a_benchmark_runs(name: str, work: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(name, ["--only", work], tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_all_works_of_a_benchmark_run(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(name, [], tmp_path, capsys)


def test_runner_overhead_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.runner_overhead import main as overhead

    monkeypatch.chdir(tmp_path)
    assert overhead(["--records", "20", "--concurrency", "5", "--rounds", "1", "--out", "out.json"]) == 0
    assert all(
        row["case"] in capsys.readouterr().out or row["elapsed_ms"] > 0
        for row in json.loads(Path("out.json").read_text())["rows"]
    )


def sides(ours: Any, theirs: Any) -> Work:
    return Work(
        name="work",
        ours=Side("ours", lambda: ours),
        peer=[Side("slow", lambda: theirs), Side("fast", lambda: theirs)],
        differs=lambda one, other: f"{one} and {other}" if one != other else None,
        flops=1.0,
    )


def test_a_mismatch_ends_the_benchmark() -> None:
    assert main(None, {"work": lambda _: sides(1, 1)}, ["--quick"]) == 0
    with pytest.raises(SystemExit, match="differ: 1 and 2"):
        main(None, {"work": lambda _: sides(1, 2)}, ["--quick"])


def test_distinct_prefixes_are_counted_once() -> None:
    tree = PrefixTree()
    tree.add([1, 2, 3], [2])
    tree.add([1, 2, 4], [1, 2])
    tree.add([2, 3], [0])
    assert len(tree.depths) - 1 == 6
    assert sum(tree.depths) == 1 + 2 + 3 + 3 + 1 + 2
    assert len(tree.wanted) == 4


def test_the_floor_is_that_of_the_model_s_matrices(tmp_path: Path) -> None:
    """One token, which attends to itself: two operations per weight, the output head's included, and four per layer and width."""
    module = opened(TINY, Settings(quick=True, rounds=1, folder=tmp_path)).module
    config = module.config
    matrices = sum(weight.numel() for name, weight in module.named_parameters() if weight.dim() == 2 and "wpe" not in name)
    assert flops(module, [([5], [0])]) == 2 * matrices + 4 * config.n_layer * config.n_embd


def test_texts_have_the_lengths_that_are_stated(tmp_path: Path) -> None:
    model = opened(TINY, Settings(quick=True, rounds=1, folder=tmp_path))
    assert {"A", "B", "C", "D"} <= set(vocabulary(TINY))
    for prefix, options in questions(TINY, 20, shared=437):
        assert 437 + 52 <= len(model.tokeniser.encode(prefix)) <= 437 + 64
        assert all(1 <= len(model.tokeniser.encode(option)) <= 6 for option in options)
    lengths = [len(model.tokeniser.encode(prefix)) for prefix, _ in cut_reasonings(TINY, 1)]
    assert lengths == [150 + 40 * cut + 6 for cut in range(9)]


def test_tables_are_markdown() -> None:
    assert markdown(["a", "b"], [["1", "22"]]).splitlines() == ["| a | b  |", "| - | -- |", "| 1 | 22 |"]
