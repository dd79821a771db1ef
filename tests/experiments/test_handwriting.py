"""The same designs on other digits: what differs is whose digits they are, and nothing else."""

from digits.experiments import common, handwriting
from digits.experiments.registry import EXPERIMENTS, select
from digits.models.summary import summary_of


def test_each_network_is_that_of_its_report_under_the_common_protocol_on_fewer_pairs():
    for experiment in handwriting.experiments():
        report = handwriting.MODELS[experiment.model][0]
        known = EXPERIMENTS[f"common/{report}/{experiment.cell}"]
        assert summary_of(experiment.build) == summary_of(known.build)
        changed = {"epochs": 50, "train_pairs": 500, "test_pairs": 350, "curve_step": 10}
        digits = handwriting.DIGITS[experiment.variant]
        assert experiment.recipe == known.recipe.but(**changed, digits=digits)
        steps = [
            r.epochs * r.train_pairs // r.batch_size for r in (experiment.recipe, known.recipe)
        ]
        assert steps[0] == steps[1] == common.PROTOCOL.epochs * 20


def test_both_sources_have_the_same_designs():
    mnist, other = (
        [e for e in handwriting.experiments() if e.variant == variant]
        for variant in handwriting.DIGITS
    )
    assert [e.cell for e in mnist] == [e.cell for e in other] and len(mnist) == 12
    for one, another in zip(mnist, other, strict=True):
        assert one.recipe == another.recipe.but(digits="of the study")
    assert {e.id for e in select(*handwriting.PATTERNS)} == {e.id for e in (*mnist, *other)}
    cells = [cell for design in handwriting.DESIGNS for cell in design.cells]
    assert sorted(cells) == sorted(e.id for e in (*mnist, *other))
