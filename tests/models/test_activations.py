import torch
from transformers.activations import ACT2FN

from gnomon.models.activations import WRITTEN_OUT, fuse_activations

from .tiny import gpt2, llama, word_tokenizer


def test_the_fused_activation_is_the_same_function() -> None:
    x = torch.linspace(-12, 12, 5001)
    for name in ("gelu_new", "gelu_fast"):
        assert type(ACT2FN[name]).__name__ in WRITTEN_OUT
        holder = torch.nn.Sequential(ACT2FN[name])
        assert fuse_activations(holder) == 1
        torch.testing.assert_close(holder(x), ACT2FN[name](x), atol=1e-6, rtol=1e-6)


def test_gpt2_is_fused_and_gives_the_same_logits() -> None:
    model = gpt2(word_tokenizer()).eval()
    ids = torch.randint(20, (2, 30))
    with torch.no_grad():
        before = model(input_ids=ids).logits
        assert fuse_activations(model) == model.config.n_layer
        torch.testing.assert_close(model(input_ids=ids).logits, before, atol=1e-5, rtol=1e-5)
    assert fuse_activations(llama(word_tokenizer())) == 0
