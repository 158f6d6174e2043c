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
        "option_text_accuracy",
        "comparison_auroc",
        "comparison_brier",
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
    "feedback-sycophancy": (
        "feedback_sycophancy",
        "authorship_sycophancy",
        "positivity_likes",
        "positivity_dislikes",
        "positivity_wrote",
        "positivity_did_not_write",
        "praise_of_wrong",
        "blame_of_right",
        "verdict_accuracy_neutral",
        "verdict_mass",
    ),
    "mimicry-sycophancy": (
        "mimicry_sycophancy",
        "mimicry_beyond_control",
        "correction_rate",
        "author_known",
        "mimicry_unverified",
    ),
    "oversight": (
        "uplift_over_model",
        "uplift_over_judge",
        "accuracy_model",
        "accuracy_together",
        "names_right",
        "overconfidence_together",
    ),
    "p-ik": (
        "ground_truth",
        "agreement",
        "ood_ground_truth",
        "ood_agreement",
    ),
    "decomposition": (
        "corruption_gain_factored",
        "truncation_gain_factored",
        "accuracy_gain_factored",
        "accuracy_zero_shot",
        "accuracy_cot",
        "accuracy_cotd",
        "accuracy_factored",
        "truncation_sensitivity_cot",
        "truncation_sensitivity_cotd",
        "truncation_sensitivity_factored",
        "corruption_sensitivity_cot",
        "corruption_sensitivity_cotd",
        "corruption_sensitivity_factored",
        "accuracy_change_suggested_answer_cot",
        "accuracy_change_suggested_answer_cotd",
        "accuracy_change_suggested_answer_factored",
        "accuracy_change_suggested_answer_shared",
        "accuracy_change_always_a_few_shot",
        "accuracy_change_always_a_cot",
        "bias_accuracy_change_cot",
        "letter_mass",
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
    "inverse-scaling": (
        "accuracy",
        "loss",
        "above_guessing",
        "length_normalised_accuracy",
        "accuracy_plain",
        "accuracy_change",
        "accuracy_repeat",
        "accuracy_negation",
        "accuracy_examples",
    ),
    "model-written": (
        "matching_rate",
        "matching_rate_yes",
        "matching_rate_no",
        "matching_probability",
        "answer_mass",
    ),
    "biased-cot": (
        "unfaithfulness",
        "suggested_answer/zero/accuracy_change/cot",
        "suggested_answer/zero/accuracy_change/no_cot",
        "suggested_answer/zero/accuracy/unbiased/cot",
        "suggested_answer/zero/accuracy/biased/cot",
        "suggested_answer/zero/accuracy/unbiased/no_cot",
        "suggested_answer/zero/accuracy/biased/no_cot",
        "suggested_answer/zero/unfaithful/cot",
        "suggested_answer/zero/unfaithful/no_cot",
        "suggested_answer/zero/moved_silently",
        "suggested_answer/zero/moved_acknowledged",
        "suggested_answer/zero/beyond_sampling",
        "suggested_answer/zero/mentions_bias",
        "suggested_answer/zero/supports_bias",
        "ans_always_a/few/accuracy_change/cot",
        "ans_always_a/few/accuracy_change/no_cot",
        "ans_always_a/few/accuracy/unbiased/cot",
        "ans_always_a/few/accuracy/biased/cot",
        "ans_always_a/few/accuracy/unbiased/no_cot",
        "ans_always_a/few/accuracy/biased/no_cot",
        "ans_always_a/few/unfaithful/cot",
        "ans_always_a/few/unfaithful/no_cot",
        "ans_always_a/few/moved_silently",
        "ans_always_a/few/moved_acknowledged",
        "ans_always_a/few/beyond_sampling",
        "ans_always_a/few/mentions_bias",
        "ans_always_a/few/supports_bias",
        "bbq/zero/no_instruction/unfaithful/cot",
        "bbq/zero/no_instruction/unfaithful/no_cot",
        "bbq/zero/no_instruction/explained_by_bias/cot",
        "bbq/zero/no_instruction/explained_by_bias/no_cot",
        "bbq/zero/no_instruction/mentions_bias",
        "letter_mass",
    ),
    "judge": (
        "agreement",
        "agreement_both_orders",
        "consistency",
        "position_bias",
        "length_bias",
        "length_effect",
        "sensitivity",
        "specificity",
        "letter_mass",
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
Of inverse scaling, losses of plain versions and their change are left out (an organism that is certain of everything has a loss
of its own there, so large where it is wrong that no affordable number of readings has a null), `sequence_loss` (twelve proverbs
are its clusters), each task's own loss (the same items as its accuracy) and the log-odds (on an organism without stereotypes they
are 0 on every item, which has no interval). `accuracy_pronoun` and `class_mass` did not pass: with eleven occupations as clusters
the intervals of the one hold the truth in 98.3 %, those of the other on the clean twin in 91 %. Trends over a family are tested
on scripted families of known slope, not certified here: a certificate reads one model at a time.
Of sycophancy: `verdict_accuracy_<stance>`, because a stance is right about exactly half of the arguments by the evaluation's
design, which makes intervals that do not know it wider than need be; `mimicry_control`, which is 0 on every scripted organism, so
that there is no line to fit; what the feedback evaluation says of a judge (`judge_accuracy`, `judge_first_shown`,
`judge_consistent`), which is true of that judge alone; and the effects of preference features, which are shrunk by their prior.

Of `decomposition`: calls, tokens, overlap and restatement, which hang on the wording of each question and not on a behaviour, and
the same readings of further methods (`shared`, worked examples for the decompositions), which go through the same code; the
sensitivities of `cotd` less those of `cot`, of which no organism's true values differ enough for a slope.
Of model-written evaluations also `first_answer_rate` (one half on every scripted organism and balanced set, so that it has no
slope), those that need a label confidence (the world's statements have none), and those of pronouns: the world has 16
occupations, nearly all of which a set has, so that intervals hold the truth by construction.

Of biased contexts: shares of the answers that moved, for an organism whose answers never move has none; what organisms do not
vary (`supports_answer`, the pairs' `cot_effect`); `sampling_floor`, which is near 0 here, so that its intervals hold the truth
in 98.6 to 99.6 %; differences of small numbers, whose slope a sweep of
this size does not show to +-0.05 (`cot_effect`, `moved_anyway`, `consistent/...`, by task); and what rests on a judge, whose
correction is held to simulations instead (`gnomon.stats.misclassification`). `judge.first_shown` is left out because it mixes
position bias with confidence.

Of `calibration` also `option_text_ece` and `ece_at_temperature`, sizes of gaps like the former ones. The changes of formats
(`option_text_ece_change`, `comparison_brier_change`) are 0 on every scripted organism, so that there is no slope to certify.

Of `p-ik` whatever rests on P(IK): it is read from hidden states, which scripted organisms do not have. Grown organisms, whose
facts are shown often, rarely or never, are its known-answer test.

Of `decomposition` also differences that most questions leave at 0 on these organisms, whose intervals are wider than they
need be and held the truth in 98.5 to 99.7 %: `accuracy_gain_cotd`, `accuracy_change_suggested_answer_few_shot` and
`bias_accuracy_change_few_shot`.

Left out of `bbq`: the estimates of single categories, which are those of the whole on fewer questions, and the mean of their
disambiguated scores, each a ratio of so few answers that its interval held the truth in 91 % only; `accuracy_change`, whose
interval, where hardly any answer changes, held it in 99 %.
Of `winogender`: the mean probabilities `female` and `neutral` with their change, `stereotyping_change` and `pronoun_mass`, whose
intervals speak of other occupations than the world's 16, where scripted organisms differ in little else, and so hold the truth
more often than they should.

Of oversight: what hangs on the judges and not on the assistant (`accuracy_judge`, `overconfidence_judge`, the `follows_...`) has
no dose; votes and calibration errors are no means. Of `best-of-n-sycophancy` and `preference-features` nothing: they read a
preference model and data, of which no organism has a dose; their parts are tested against exact chances and simulated truth.
"""


def uncertified(estimates: Sequence[Estimate]) -> list[str]:
    """Those of the estimates, as `evaluation.name`, that no certificate covers."""
    return [f"{one.evaluation}.{one.name}" for one in estimates if one.name not in CERTIFIED.get(one.evaluation, ())]
