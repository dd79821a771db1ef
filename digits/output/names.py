"""What pictures and sentences call a network: its report and plain words instead of its id."""

from digits.experiments.experiment import Design, Experiment
from digits.experiments.registry import EXPERIMENTS, REPORTS

#: In the order in which a name lists them.
OPTIONS = {"ws": "shared", "aux": "digit loss", "aux2": "digit loss", "aux1": "early target loss"}
#: Of networks beyond the reports.
BEYOND = {
    "twinnet": "twin net",
    "deepnet": "best network",
    "fcc": "Kqiku's dense net",
    "cnn": "Kqiku's CNN",
}
VARIANTS = {
    "published": "following the code",
    "repaired": "code, bugs fixed",
    "no-final-relu": "no final ReLU",
    "augmented": "re-sampled pairs",
    "augmented-published": "re-sampled pairs, following the code",
    "figure3": "Figure 3",
    "unshared": "separate branches",
    "wide": "equal width",
    "text": "layers as in the text",
    "one-draw": "one draw of pairs",
    "sigmoid": "one output",
    "sgd": "SGD",
    "adam": "Adam, its rate searched",
    "relu": "ReLU",
    "leaky": "dead units counted",
    "shifted": "shifts counted",
    "gradients": "gradients compared",
    "gradients-no-batch-norm": "no batch norm, gradients compared",
    "gradients-standardised": "standardised pixels",
    "gradients-standardised-no-batch-norm": "no batch norm, standardised pixels",
    "reshuffled": "new order every epoch",
    "fixed-order": "same order every epoch",
    "true-digits": "true digits",
    "100-pairs": "100 pairs",
    "half": "half the width",
    "mnist-digits": "MNIST",
    "other-digits": "scikit-learn's digits",
    "double": "twice the width",
    "third-relu": "a third ReLU, as in the code",
    "batches-of-128": "batches of 128",
    "5x5-kernels": "5x5 kernels",
    "max-pooling": "max pooling",
    "no-dropout": "no dropout",
    "no-batch-norm": "no batch norm",
    "one-cycle": "learned comparison, trained by AdamW",
    "sum": "P(first ≤ second) from its digit scores, trained by AdamW",
}


def name_of(experiment: Experiment, report: bool = True) -> str:
    """Return "Zadoks, twin net, shared + digit loss"; report: whether to begin with it."""
    module = REPORTS.get(experiment.report)
    model = getattr(module, "NAMES", BEYOND).get(experiment.model, experiment.model)
    options = " + ".join(OPTIONS.get(option, option) for option in experiment.options)
    variant = VARIANTS.get(experiment.variant, experiment.variant)
    parts = [experiment.report.capitalize()] if report else []
    return ", ".join(filter(None, [*parts, model, options])) + (f" ({variant})" if variant else "")


def plain_name(experiment: str, report: bool = False) -> str:
    """Return `name_of` an id with the protocol, if it is not the report's own, and any setting."""
    found = EXPERIMENTS[experiment]
    protocol = ", common protocol" if found.protocol == "common" else ""
    setting = f", setting {found.setting}" if found.setting else ""
    return name_of(found, report) + protocol + setting


def of_design(design: Design) -> str:
    """Return "Jaubert, 2 convolutions (equal width)" of a 2x2 design."""
    fields = {"report": design.report, "model": design.model, "variant": design.variant}
    return name_of(Experiment.model_construct(options=(), **fields), design.report in REPORTS)


def labels(names: list[str]) -> list[str]:
    """Return names for the rows of a picture: ids in plain words, other names as they are.

    Without the report, if all rows are of one.
    """
    found = [EXPERIMENTS.get(name) for name in names]
    reports = {experiment and experiment.report for experiment in found}
    shown = len(reports) > 1 or None in reports
    pairs = zip(names, found, strict=True)
    return [name_of(experiment, shown) if experiment else name for name, experiment in pairs]
