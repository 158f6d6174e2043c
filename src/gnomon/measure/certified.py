"""Which estimates `gnomon validate` certifies; of all others nobody knows how well they measure, and audits say so."""

from collections.abc import Sequence

from gnomon.stats.estimate import Estimate

CERTIFIED: dict[str, tuple[str, ...]] = {
    "sycophancy": (
        "agreement",
        "switch_to_wrong",
        "switch_to_right",
        "suggested_probability_shift",
        "answer_sycophancy",
        "accuracy_unbiased",
        "accuracy_suggests_correct",
        "accuracy_denies_correct",
        "accuracy_suggests_incorrect",
        "accuracy_change_suggests_correct",
        "accuracy_change_denies_correct",
        "accuracy_change_suggests_incorrect",
        "capitulation",
        "flip_rate",
        "admission_rate",
        "flip_rate_control",
        "admission_rate_control",
        "correction_rate",
        "confident_flip_rate",
        "letter_mass",
    ),
    "calibration": (
        "overconfidence",
        "accuracy",
        "confidence",
        "ece_debiased",
        "brier",
        "auroc",
        "temperature",
        "none_of_the_above_accuracy_change",
        "none_of_the_above_underuse",
        "true_false_accuracy",
        "true_false_auroc",
        "true_false_brier",
        "true_false_ece",
        "p_true_sample_accuracy",
        "p_true_auroc",
        "p_true_brier",
        "p_true_selective_gain",
        "letter_mass",
    ),
    "faithfulness": (
        "ignores_reasoning",
        "mistakes_taken",
        "aoc_early_answering",
        "aoc_mean_early_answering",
        "aoc_adding_mistakes",
        "aoc_mean_adding_mistakes",
        "same_without_reasoning",
        "accuracy_with_reasoning",
        "accuracy_without_reasoning",
        "reasoning_gain",
        "same_when_resampled",
        "mistakes_beyond_resampling",
        "same_when_paraphrased",
        "paraphrase_accuracy_change",
        "filler_accuracy_change",
        "samples_agree",
        "letter_mass",
    ),
    "oversight": (
        "uplift_over_model",
        "uplift_over_judge",
        "accuracy_model",
        "accuracy_judge",
        "accuracy_together",
        "follows_when_wrong",
        "follows_when_right",
        "names_right",
        "overconfidence_judge",
        "overconfidence_together",
    ),
    "red-teaming": (
        "attack_success",
        "success_first_turn",
        "harmlessness",
        "harmlessness_mean",
        "pretext_effect",
        "refusal_rate",
        "evasion_rate",
        "over_refusal",
        "success_best_of_1",
        "success_best_of_2",
        "success_best_of_4",
        "success_best_of_8",
        "harmlessness_best_of_1",
        "harmlessness_best_of_2",
        "harmlessness_best_of_4",
        "harmlessness_best_of_8",
    ),
    "bbq": (
        "question/bias/ambiguous",
        "question/bias/disambiguated",
        "question/accuracy/ambiguous",
        "question/accuracy/disambiguated",
        "question/unknown/ambiguous",
        "question/unknown/disambiguated",
        "question/bias_category_mean/ambiguous",
        "instruction/bias/ambiguous",
        "instruction/bias/disambiguated",
        "instruction/accuracy/ambiguous",
        "instruction/accuracy/disambiguated",
        "instruction/unknown/ambiguous",
        "instruction/unknown/disambiguated",
        "instruction/bias_category_mean/ambiguous",
        "reasoning/bias/ambiguous",
        "reasoning/bias/disambiguated",
        "reasoning/accuracy/ambiguous",
        "reasoning/accuracy/disambiguated",
        "reasoning/unknown/ambiguous",
        "reasoning/unknown/disambiguated",
        "reasoning/bias_category_mean/ambiguous",
        "instruction/bias_change",
        "reasoning/bias_change",
        "letter_mass",
    ),
    "winogender": (
        "question/correlation",
        "question/slope",
        "instruction/correlation",
        "instruction/slope",
        "reasoning/correlation",
        "reasoning/slope",
        "statistics/correlation",
        "statistics/slope",
    ),
    "admissions": (
        "question/discrimination",
        "question/admission_rate/target",
        "question/admission_rate/other",
        "instruction/discrimination",
        "instruction/admission_rate/target",
        "instruction/admission_rate/other",
        "reasoning/discrimination",
        "reasoning/admission_rate/target",
        "reasoning/admission_rate/other",
        "instruction/discrimination_change",
        "reasoning/discrimination_change",
        "answer_mass",
    ),
}
"""By evaluation. Each has a dose sweep in `gnomon.validate.instruments` and must pass it.

Left out: the plain calibration errors (`ece`, `rms_calibration_error`, `ece_all_options`, `none_of_the_above_ece`, `p_true_ece`).
They are the papers' definitions, and by definition sizes of gaps: noise makes them positive where there is no gap, so that at the
number of questions of an audit they have no null and no slope of 1. They are what they are defined to be (the tests hold them
equal to references); `ece_debiased` and `overconfidence` are the certified readings of the same question.

Of red teaming: success by tag and by tactic is `attack_success` on fewer attacks; `rejection_effect` and the best of 16 are the
same reading with other numbers of samples; `turns`, `diversity`, `diversity_of_successes` and `self_bleu` describe the attacks,
not the model; the judge's agreement is no mean and has no dose.

Left out of `bbq`: the estimates of single categories, which are those of the whole on fewer questions, and the mean of their
disambiguated scores, each a ratio of so few answers that its interval held the truth in 91 % only; `accuracy_change`, whose
interval, where hardly any answer changes, held it in 99 %.
Of `winogender`: the mean probabilities `female` and `neutral` with their change, `stereotyping_change` and `pronoun_mass`, whose
intervals speak of other occupations than the world's 16, where scripted organisms differ in little else, and so hold the truth
more often than they should.
"""


def uncertified(estimates: Sequence[Estimate]) -> list[str]:
    """Those of the estimates, as `evaluation.name`, that no certificate covers."""
    return [f"{one.evaluation}.{one.name}" for one in estimates if one.name not in CERTIFIED.get(one.evaluation, ())]
