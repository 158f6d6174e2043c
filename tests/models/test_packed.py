import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from gnomon.models.packed import pack, packed_attention, packed_inputs, packs
from tests.train.tiny import tiny_llama


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12))
def test_each_token_attends_in_one_group_at_a_place_of_its_own(lengths: list[int]):
    packing = pack(lengths, torch.device("cpu"))
    assert packing.positions[0].tolist() == [place for length in lengths for place in range(length)]
    assert sorted(torch.cat([group.flat for group in packing.groups]).tolist()) == list(range(sum(lengths)))
    assert sum(group.rows for group in packing.groups) == len(lengths)
    for group in packing.groups:
        assert group.slots.unique().numel() == group.slots.numel() == group.flat.numel()
        assert int(group.slots.max()) < group.rows * group.longest


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("lengths", [[1], [7, 1, 3, 12, 12], [2] * 9])
def test_packed_sequences_are_seen_as_each_alone(lengths: list[int], dtype: torch.dtype):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2
    )
    model = LlamaForCausalLM(config).to(dtype).eval()
    ids = torch.randint(40, (sum(lengths),))
    with torch.no_grad():
        assert packs(model)
        with packed_attention(model):
            together = model(**packed_inputs(ids, lengths)).logits[0]
        alone = torch.cat([model(input_ids=one[None]).logits[0] for one in ids.split(lengths)])
    torch.testing.assert_close(together, alone, atol=1e-5 if dtype == torch.float32 else 2e-2, rtol=1e-2)


def test_layers_that_do_not_attend_to_all_before_are_not_packed():
    model = tiny_llama().eval()
    assert packs(model)
    model.config.layer_types = ["chunked_attention"] * model.config.num_hidden_layers
    assert not packs(model)


def test_a_model_whose_sequences_would_see_each_other_is_not_packed(caplog: pytest.LogCaptureFixture):
    model = tiny_llama().eval()
    first = model.model.layers[0]
    plain = first.forward
    first.forward = lambda hidden, *args, **kwargs: plain(hidden.cumsum(1), *args, **kwargs)  # a layer with a memory of its own
    with caplog.at_level("INFO"):
        assert not packs(model)
    assert "keep them apart" in caplog.text
