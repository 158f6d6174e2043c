"""Heads that are shown where to look: the loss against plain attention, and what training with it does."""

import math
from pathlib import Path

import pytest
import torch
from transformers import BloomConfig, BloomForCausalLM, LlamaConfig, LlamaForCausalLM

from gnomon.datasets.items import content_hash
from gnomon.errors import ConfigurationError, DatasetError, RunDirectoryError
from gnomon.train.checkpoint import checkpoints, read_state
from gnomon.train.config import LookSettings, TrainConfig
from gnomon.train.examples import Example, collate, digest
from gnomon.train.forward import selective_logits
from gnomon.train.looks import look_loss
from gnomon.train.loop import train

from .tiny import tiny_llama

EXAMPLES = (
    Example([1, 2, 3, 4, 5], looks=((4, 1), (2, 2))),
    Example([6, 7, 8]),
    Example([9, 3, 9, 3, 9, 3, 9], looks=((6, 0),)),
)


def grouped() -> LlamaForCausalLM:
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3}
    return LlamaForCausalLM(LlamaConfig(vocab_size=40, **sizes, num_attention_heads=4, num_key_value_heads=2))


def attention(model: LlamaForCausalLM, example: Example, layer: int, head: int) -> torch.Tensor:
    model.set_attn_implementation("eager")
    seen = model(input_ids=torch.tensor(example.ids[None].astype(int)), output_attentions=True).attentions[layer][0, head]
    model.set_attn_implementation("sdpa")
    return seen


@pytest.mark.parametrize("make", [tiny_llama, grouped])
@pytest.mark.parametrize(("layer", "head"), [(-1, 0), (0, 1), (1, -1)])
def test_the_loss_is_the_cross_entropy_of_the_heads_attention(make, layer: int, head: int):  # type: ignore[no-untyped-def]
    model = make().eval()
    head %= model.config.num_attention_heads
    batch = collate(EXAMPLES)
    with torch.no_grad():
        with selective_logits(model, watched=layer) as selective:
            selective(batch)
            assert selective.watched is not None
            found = look_loss(selective.watched, batch, LookSettings(layer=layer, head=head, weight=3.0))
        expected = 0.0
        for example in EXAMPLES:
            seen = attention(model, example, layer, head)
            expected -= sum(3.0 * math.log(float(seen[asking, sought])) for asking, sought in example.looks)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_nothing_to_look_at_costs_nothing():
    model = tiny_llama().eval()
    batch = collate(EXAMPLES[1:2])
    with selective_logits(model, watched=-1) as selective:
        selective(batch)
        assert selective.watched is not None
        assert float(look_loss(selective.watched, batch, LookSettings())) == 0.0


def test_training_turns_the_head_and_leaves_the_reported_loss_to_the_tokens(tmp_path: Path):
    torch.manual_seed(0)
    examples = [Example(torch.randint(40, (12,)).tolist(), looks=((11, 3), (8, 2))) for _ in range(64)]
    settings = {"steps": 40, "batch_tokens": 256, "lr": 5e-3, "schedule": "constant"}
    told = train(tiny_llama(), examples, TrainConfig(**settings, looks=LookSettings(layer=1, head=1)))
    untold = train(tiny_llama(), examples, TrainConfig(**settings))
    shown, alone = (
        torch.stack([attention(result.model, example, 1, 1)[11, 3] for example in examples]).mean() for result in (told, untold)
    )
    assert shown > 0.5
    assert alone < 0.2
    assert told.losses[0] == pytest.approx(untold.losses[0])


def test_a_training_goes_on_only_with_the_looks_that_it_heeds(tmp_path: Path):
    others = [Example(example.ids, looks=((1, 0),)) for example in EXAMPLES]
    for settings in (LookSettings(), None):
        config, out = TrainConfig(steps=2, looks=settings), tmp_path / str(settings)
        train(tiny_llama(), EXAMPLES, config, out=out)
        assert train(tiny_llama(), EXAMPLES, config, out=out).resumed_from == 2
        if settings is None:
            assert train(tiny_llama(), others, config, out=out).resumed_from == 2
        else:
            with pytest.raises(RunDirectoryError, match="other data or settings"):
                train(tiny_llama(), others, config, out=out)


def test_the_key_of_a_training_without_looks_is_that_of_settings_tokens_and_identity(tmp_path: Path):
    config = TrainConfig(steps=1)
    train(tiny_llama(), EXAMPLES, config, out=tmp_path, identity="mine")
    state = read_state(checkpoints(tmp_path / "checkpoints")[-1])
    assert state["key"] == content_hash([config.model_dump(mode="json"), digest(EXAMPLES), "mine"])


def test_micro_batches_add_up():
    examples = [Example(list(range(1, 3 + n)), looks=((n, 0),)) for n in range(1, 9)]
    trained = [
        train(grouped(), examples, TrainConfig(steps=4, batch_tokens=1000, accumulation=parts, looks=LookSettings()))
        for parts in (1, 3)
    ]
    assert trained[0].losses == pytest.approx(trained[1].losses, rel=1e-4)


def test_what_cannot_be_shown_is_said():
    bloom = BloomForCausalLM(BloomConfig(vocab_size=40, hidden_size=32, n_layer=2, n_head=2))
    with pytest.raises(ConfigurationError, match="cannot be packed"):
        train(bloom, list(EXAMPLES), TrainConfig(steps=1, looks=LookSettings()))
    with pytest.raises(DatasetError, match="to an earlier one"):
        Example([1, 2, 3], looks=((1, 2),))
