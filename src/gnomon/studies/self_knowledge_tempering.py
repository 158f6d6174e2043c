"""The claim of 2207.05221 about fine-tuned models: one temperature repairs an over-confident model, on several tasks."""

from gnomon.measure import catalogue
from gnomon.measure.calibration_analysis import letter_logits
from gnomon.measure.parts import Part, part
from gnomon.report.content import Claim
from gnomon.stats.calibration_change import estimate_ece_change
from gnomon.stats.estimate import Estimate
from gnomon.stats.temperature import fit_temperature
from gnomon.studies.bench import Bench
from gnomon.studies.scaling import named
from gnomon.studies.verdicts import above, all_of, below, claim, untried

STATEMENT = "A fine-tuned model is over-confident at T = 1, and one higher temperature repairs that on several tasks."
RULE = (
    "on a model that was fine-tuned to be over-confident: the temperature fitted to lettered choices is above 1, ECE of choices "
    "with it (fitted to other questions) minus without is below 0, and so is that of true/false questions, to which it was not"
)


async def temperature_claim(bench: Bench, model: str, n: int, seed: int) -> Claim:
    """Measures the model and decides the claim; without one it is not tried."""
    if not model:
        return untried("9", STATEMENT, RULE, "no fine-tuned model was named")
    evaluation = catalogue.build("calibration", n=2 * n, seed=seed, formats=("choice", "true_false"))
    measured = await bench.measure(model, evaluation)
    fitted, change = measured["temperature"], measured["ece_change_at_temperature"]
    choices = [row for row in part(measured.table, "choice").rows if row["status"] == "value"]
    if fitted.value is None or not choices:
        return untried("9", STATEMENT, RULE, f"no temperature could be fitted: {fitted.reason}")
    temperature = fit_temperature(*letter_logits(choices))
    elsewhere = transferred(part(measured.table, "true_false"), temperature, seed)
    evidence = [named(one, model) for one in (fitted, change, elsewhere)]
    return claim("9", STATEMENT, RULE, all_of([above(evidence[0], 1.0), below(evidence[1]), below(evidence[2])]), evidence)


def transferred(given: Part, temperature: float, seed: int = 0) -> Estimate:
    """ECE of true/false answers after dividing their logits by a temperature, minus before.

    Args:
        given: Records with `p_true` and `correct`.
        temperature: What to divide by.
        seed: Of the resampling.
    """
    rows = [row for row in given.rows if row["status"] == "value"]
    sure = [max(row["p_true"], 1.0 - row["p_true"]) for row in rows]
    right = [bool(row["correct"]) for row in rows]
    tempered = [_tempered(value, temperature) for value in sure]
    clusters = [row["cluster"] for row in rows]
    return estimate_ece_change(
        (sure, right),
        (tempered, right),
        clusters,
        total=len(given.rows),
        evaluation="calibration",
        name="true_false_ece_change_at_temperature",
        seed=seed,
    )


def _tempered(probability: float, temperature: float) -> float:
    first, second = probability ** (1.0 / temperature), (1.0 - probability) ** (1.0 / temperature)
    return first / (first + second)
