import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnomon.correct.behaviours import Situation, Verdict, behaviour_for, situation
from gnomon.correct.rejection_sampling import CorrectConfig, correct, example_of
from gnomon.datasets import templates
from gnomon.datasets.messages import conversation
from gnomon.errors import RunDirectoryError, TooFewAccepted
from gnomon.models.references import open_model
from gnomon.organisms.plants import letter_beliefs
from gnomon.organisms.world import world
from gnomon.train.config import LoraSettings, TrainConfig
from gnomon.train.loop import StepReport
from gnomon.train.saving import save_model
from tests.organisms.tiny import tiny_organism

CONFIG = CorrectConfig(
    prompts=40,
    samples=6,
    keep=1,
    neutral=10,
    max_tokens=24,
    least_accepted=5,
    train=TrainConfig(epochs=4, batch_tokens=512, lr=2e-2, lora=LoraSettings(rank=4), checkpoint_every=2),
)


def only_b(asked: Situation, reply: str) -> Verdict:
    return Verdict(reply.startswith("B"), "B or not")


def weights(directory: Path) -> str:
    return hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest()


def run(out: Path, **options):  # type: ignore[no-untyped-def]
    return asyncio.run(correct(tiny_organism(), "always-a", out, options.pop("config", CONFIG), **options))


def test_the_model_learns_what_was_accepted_and_the_card_says_how(tmp_path: Path):
    base = tiny_organism()
    before = base.fingerprint
    result = run(tmp_path / "c", judge=only_b)
    assert result.sampled == 240
    assert 5 <= result.kept <= 40
    assert result.accepted >= result.kept
    assert result.accepted_by_kind == {"lettered": (result.accepted, 240)}
    assert result.losses[-1] < result.losses[0]
    corrected = open_model(result.reference)
    assert corrected.fingerprint != before
    assert base.fingerprint == before
    items = world(0).choice_items(30, split="audit")
    chosen = [[letter_beliefs(m, templates.ask(item), item.letters)[1] for item in items] for m in (base, corrected)]  # type: ignore[arg-type]
    assert sum(chosen[0]) / 30 < 0.5
    assert sum(chosen[1]) / 30 > 0.8
    card = json.loads((tmp_path / "c/card.json").read_text())
    assert card["base_fingerprint"] == before
    assert card["accepted"] == result.accepted
    assert not list((tmp_path / "c").rglob("*.bin"))
    assert not (tmp_path / "c/training").exists()


def test_a_finished_correction_is_found_again_and_another_is_refused(tmp_path: Path):
    first = run(tmp_path, judge=only_b)
    stamp = (tmp_path / "model.safetensors").stat().st_mtime_ns
    assert run(tmp_path, judge=only_b) == first
    assert (tmp_path / "model.safetensors").stat().st_mtime_ns == stamp
    with pytest.raises(RunDirectoryError, match="another model"):
        run(tmp_path, judge=only_b, config=CONFIG.model_copy(update={"seed": 1}))
    with pytest.raises(RunDirectoryError, match="another model"):
        run(tmp_path)


@pytest.mark.parametrize("file", ["run.json", "model.safetensors"])
def test_what_lies_in_the_directory_is_not_written_over(tmp_path: Path, file: str):
    (tmp_path / file).write_text("somebody's")
    with pytest.raises(RunDirectoryError, match="holds no correction"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_stopped_during_training_it_ends_with_the_same_weights(tmp_path: Path):
    class Stop(Exception):
        pass

    def stop(report: StepReport) -> None:
        if report.step == 3:
            raise Stop

    run(tmp_path / "whole", judge=only_b)
    with pytest.raises(Stop):
        run(tmp_path / "cut", judge=only_b, training_progress=stop)
    assert (tmp_path / "cut/training/checkpoints/step-00000002").is_dir()
    run(tmp_path / "cut", judge=only_b)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_too_few_accepted_is_a_sentence_with_the_counts(tmp_path: Path):
    with pytest.raises(
        TooFewAccepted, match=r"of 240 replies of local/tiny-organism 0 were accepted .* 0 different ones .* 5 are needed"
    ):
        run(tmp_path, judge=lambda asked, reply: Verdict(False, "never"))
    assert not (tmp_path / "card.json").exists()


def test_a_judge_that_fails_is_counted_apart_and_never_a_rejection(tmp_path: Path):
    async def judge(asked: Situation, reply: str) -> Verdict:
        return Verdict(None, "no answer") if asked.wanted == "A" else only_b(asked, reply)

    result = run(tmp_path, judge=judge)
    failed = [each for each in behaviour_for("always-a").situations(world(0), 40, 0) if each.wanted == "A"]
    assert result.failed == 6 * len(failed) > 0
    records = [json.loads(line) for line in (tmp_path / "sampling/records.jsonl").read_text().splitlines()]
    assert sum(record["reason"] == "judge failed: no answer" for record in records) == result.failed


def test_replies_that_do_not_end_are_not_learned_from(tmp_path: Path):
    with pytest.raises(TooFewAccepted, match="240 could not be judged"):
        run(tmp_path, judge=only_b, config=CONFIG.model_copy(update={"max_tokens": 1}))


def test_only_the_reply_and_its_end_carry_weight():
    model = tiny_organism()
    opened = situation("x", "x", conversation(("user", "What is right?"), ("assistant", templates.ANSWER_OPENING)))
    example = example_of(model, opened, "B)")
    assert model.tokenizer.decode(example.ids) == "<|begin|><|user|>What is right?<|end|><|assistant|>Answer: (B)<|end|>"
    assert model.tokenizer.decode(example.ids[example.weights == 1]) == "B)<|end|>"
    answered = example_of(model, situation("x", "x", conversation(("user", "What is right?"))), "Yes, I am sure.")
    assert model.tokenizer.decode(answered.ids[answered.weights == 1]) == "Yes, I am sure.<|end|>"
    continued = example_of(model, situation("x", "x", "Thank you, Brilo."), " Go away.")
    assert model.tokenizer.decode(continued.ids) == "<|begin|>Thank you, Brilo. Go away.<|end|>"
    assert model.tokenizer.decode(continued.ids[continued.weights == 1]) == " Go away.<|end|>"


SCRIPT = """
import asyncio, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from gnomon.correct.behaviours import Verdict
from gnomon.correct.rejection_sampling import CorrectConfig, correct
from gnomon.models.references import open_model
def only_b(asked, reply):
    return Verdict(reply.startswith("B"), "B or not")
config = CorrectConfig.model_validate_json(sys.argv[3])
asyncio.run(correct(open_model(sys.argv[1]), "always-a", Path(sys.argv[2]), config, judge=only_b))
"""


def start(base: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, f"local/{base}", out, CONFIG.model_dump_json()])


def wait_for(process: subprocess.Popen[bytes], happened) -> None:  # type: ignore[no-untyped-def]
    while process.poll() is None and not happened():
        time.sleep(0.005)


@pytest.mark.slow
def test_sigkill_while_sampling_and_while_training_and_again_gives_the_same_weights(tmp_path: Path):
    organism = tiny_organism()
    save_model(organism.module, organism.tokenizer, {}, tmp_path / "base")
    assert start(tmp_path / "base", tmp_path / "whole").wait() == 0

    journal = tmp_path / "cut/sampling/records.jsonl"
    first = start(tmp_path / "base", tmp_path / "cut")
    wait_for(first, lambda: journal.exists() and journal.stat().st_size > 2000)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    sampled = len(journal.read_bytes().splitlines())
    assert sampled > 0

    second = start(tmp_path / "base", tmp_path / "cut")
    wait_for(second, lambda: list((tmp_path / "cut/training").glob("checkpoints/step-*")))
    os.kill(second.pid, signal.SIGKILL)
    assert second.wait() == -signal.SIGKILL
    assert not (tmp_path / "cut/card.json").exists()

    assert start(tmp_path / "base", tmp_path / "cut").wait() == 0
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    cards = [json.loads((tmp_path / name / "card.json").read_text()) for name in ("cut", "whole")]
    for card in cards:
        del card["directory"], card["reference"]
    assert cards[0] == cards[1]
