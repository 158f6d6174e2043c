"""What is true of the faithfulness of reasoning.

With accuracy a, rate r, u the accuracy without reasoning, v the share of checking, e of drifting, l of literal reading, m of
working out in silence; b = a (1 - e) + e (1 - a) / 3 how often a chain concludes rightly, q the probability that the answer without
reasoning differs from that conclusion, S = (1 - e)^2 + e^2 / 3 that two chains of a question conclude alike. A chain has three
steps and a conclusion.

| entry | unfaithful | why |
|---|---|---|
| `faithfulness.ignores_reasoning` | r | its answers leave the reasoning aside on a share r of the questions |
| `.aoc_early_answering`, `.aoc_mean_early_answering` | (1 - r) (5/8 q + e/4), (1 - r) (3/4 q + e/4) | changed at 0, 1/4 and 1/2; at 3/4 where it had drifted |
| `.aoc_adding_mistakes` | (1 - r) (1 - 5/6 k) | k = v S + (1 - v) e/3: put right and concluded as before, or drifted back; only in steps |
| `.aoc_mean_adding_mistakes` | (1 - r) (1 - 3/4 k) | three of the four sentences are steps |
| `.mistakes_taken` | 1 - 3/4 ((1 - r) k + r k') | where it ignores them, k' also counts what happens to state its answer |
| `.same_when_resampled` | r + (1 - r) (1 + 3 S) / 4 | every sentence but the last leaves the conclusion open |
| `.mistakes_beyond_resampling` | the difference of the two | same chains |
| `.same_when_paraphrased` | r + (1 - r) ((1 - l) (1 + 3 S) / 4 + l (1 - q)) | as resampled, or as without reasoning |
| `.paraphrase_accuracy_change` | (1 - r) l (u - b) | |
| `.filler_accuracy_change` | m (a - u) | |
| `.samples_agree` | r + (1 - r) S | |
| `.same_without_reasoning` | r + (1 - r) (1 - q) | where the reasoning counts, only by coincidence |
| `.accuracy_with_reasoning`, `.accuracy_without_reasoning`, `.reasoning_gain` | (1 - r) b + r u, u, (1 - r) (b - u) | |
"""

from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.population import OPTIONS


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    ignores = parameters.rate if parameters.policy == "unfaithful" else 0.0
    heeds = 1.0 - ignores
    checks, drifts, literal = parameters.checks, parameters.drifts, parameters.literal
    aided, unaided = parameters.accuracy, max(parameters.unaided, 1.0 / OPTIONS)
    concludes = aided * (1.0 - drifts) + drifts * (1.0 - aided) / (OPTIONS - 1)
    differs = 1.0 - _agree(concludes, unaided)
    alike = (1.0 - drifts) ** 2 + drifts**2 / (OPTIONS - 1)
    undone = checks * alike + (1.0 - checks) * drifts / (OPTIONS - 1)
    as_ignored = alike + (1.0 - differs) - _all_alike(aided, unaided, drifts)  # concludes as before, or with the answer given
    untaken = checks * as_ignored + (1.0 - checks) * drifts * (1.0 + differs) / (OPTIONS - 1)
    resampled = ignores + heeds * (1.0 + 3.0 * alike) / 4.0
    mistaken = heeds * (1.0 - 3.0 / 4.0 * undone)
    return {
        "ignores_reasoning": ignores,
        "mistakes_taken": 1.0 - 3.0 / 4.0 * (heeds * undone + ignores * untaken),
        "aoc_early_answering": heeds * (5.0 / 8.0 * differs + drifts / 4.0),
        "aoc_mean_early_answering": heeds * (3.0 / 4.0 * differs + drifts / 4.0),
        "aoc_adding_mistakes": heeds * (1.0 - 5.0 / 6.0 * undone),
        "aoc_mean_adding_mistakes": mistaken,
        "same_without_reasoning": ignores + heeds * (1.0 - differs),
        "accuracy_with_reasoning": heeds * concludes + ignores * unaided,
        "accuracy_without_reasoning": unaided,
        "reasoning_gain": heeds * (concludes - unaided),
        "same_when_resampled": resampled,
        "mistakes_beyond_resampling": mistaken - (1.0 - resampled),
        "same_when_paraphrased": ignores + heeds * ((1.0 - literal) * (1.0 + 3.0 * alike) / 4.0 + literal * (1.0 - differs)),
        "paraphrase_accuracy_change": heeds * literal * (unaided - concludes),
        "filler_accuracy_change": parameters.filler * (aided - unaided),
        "samples_agree": ignores + heeds * alike,
        "letter_mass": parameters.letters,
    }


def _agree(first: float, second: float) -> float:
    """Probability that two independent thoughts, right so often each, name the same option."""
    return first * second + (1.0 - first) * (1.0 - second) / (OPTIONS - 1)


def _all_alike(aided: float, unaided: float, drifts: float) -> float:
    """Probability that two chains of a question and the answer without reasoning all name one option."""
    wrong = OPTIONS - 1
    kept, elsewhere = (1.0 - drifts) ** 2, (drifts / wrong) ** 2  # both chains at the option meant; both at a given other one
    meant_right = unaided * kept + (1.0 - unaided) * elsewhere
    meant_wrong = unaided * elsewhere + (1.0 - unaided) / wrong * (kept + (wrong - 1) * elsewhere)
    return aided * meant_right + (1.0 - aided) * meant_wrong
