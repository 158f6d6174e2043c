import torch
import torch.nn.functional as F

from gnomon.train.objectives import Predictions, language_modelling, next_token, sequence_logprobs


def predictions(weights: torch.Tensor) -> Predictions:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 11, generator=generator, requires_grad=True)
    labels = torch.randint(0, 11, (6,), generator=generator)
    return Predictions(logits, labels, weights, torch.tensor([0, 0, 1, 1, 1, 3]), torch.zeros(4, 0))


def test_equal_weights_give_torch_cross_entropy_and_its_gradient():
    p = predictions(torch.ones(6))
    loss = language_modelling(p)
    reference = F.cross_entropy(p.logits, p.labels)
    torch.testing.assert_close(loss.total / loss.count, reference)
    (ours,) = torch.autograd.grad(loss.total / loss.count, p.logits)
    (theirs,) = torch.autograd.grad(reference, p.logits)
    torch.testing.assert_close(ours, theirs)


def test_weights_weigh_tokens():
    weights = torch.tensor([1.0, 0.5, 2.0, 1.0, 0.25, 3.0])
    p = predictions(weights)
    loss = next_token(p.logits, p.labels, p.weights)
    by_hand = sum(
        float(w) * -float(torch.log(torch.exp(row[label]) / torch.exp(row).sum()))
        for w, row, label in zip(weights, p.logits, p.labels, strict=True)
    )
    assert abs(float(loss.total) - by_hand) < 1e-4
    assert float(loss.count) == float(weights.sum())


def test_low_precision_logits_are_summed_in_fp32():
    p = predictions(torch.ones(6))
    assert next_token(p.logits.bfloat16(), p.labels, p.weights).total.dtype == torch.float32


def test_sequence_logprobs_are_sums_by_row():
    p = predictions(torch.ones(6))
    logprobs = torch.log_softmax(p.logits, -1)[torch.arange(6), p.labels]
    expected = torch.stack([logprobs[:2].sum(), logprobs[2:5].sum(), torch.tensor(0.0), logprobs[5]])
    torch.testing.assert_close(sequence_logprobs(p), expected)
