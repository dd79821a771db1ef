"""Cadei, Fradiani, Polvani: seven networks without (Table I) and with augmentation (Table II)."""

from functools import partial

from digits.experiments.experiment import Design, Experiment, Published, named
from digits.models import cadei as networks
from digits.training.recipe import Recipe

NUMBER = 1
AUTHORS = "Cadei, Fradiani, Polvani"
#: What pictures call the models; the others by their id.
NAMES = {"mlp": "dense net", "convnet": "CNN", "deepconvnet": "20 convolutions", "resnet": "ResNet"}
IN_SHORT = (
    "A Siamese tower, an auxiliary loss and re-sampled pairs each help, and together reach "
    "2.96 % error; a ResNet cannot learn the task without augmentation."
)

#: Network: learning rate, weight decay, parameters, and what the tables print as fractions:
#: mean and SD of train, validation and test error without augmentation, then with it.
TABLES = {
    "mlp": (
        *(1e-4, 0.1, 279_562),
        ((0.0546, 0.04335), (0.2239, 0.0548), (0.22, 0.0205)),
        ((0.0470, 0.0052), (0.0799, 0.0173), (0.0890, 0.0065)),
    ),
    "convnet": (
        *(1e-4, 0.1, 77_530),
        ((0.1174, 0.0199), (0.252, 0.0322), (0.2404, 0.0102)),
        ((0.1174, 0.0126), (0.12, 0.0200), (0.1333, 0.0155)),
    ),
    "deepconvnet": (
        *(1e-3, 0.001, 2_700_834),
        ((0.0852, 0.0315), (0.1899, 0.0466), (0.2131, 0.0164)),
        ((0.0422, 0.0022), (0.0499, 0.01), (0.0493, 0.0037)),
    ),
    "resnet": (
        *(1e-4, 0.1, 2_746_626),
        ((0.1942, 0.1407), (0.3010, 0.1028), (0.3259, 0.0728)),
        ((0.0911, 0.0105), (0.0766, 0.0152), (0.097, 0.0145)),
    ),
    "deepconvnet+aux": (
        *(1e-3, 0.001, 2_826_294),
        ((0.0686, 0.0606), (0.201, 0.0558), (0.197, 0.0310)),
        ((0.0229, 0.0055), (0.0366, 0.0208), (0.0373, 0.0005)),
    ),
    "siamese": (
        *(1e-3, 0.001, 2_699_968),
        ((0.0736, 0.0193), (0.13, 0.0365), (0.1496, 0.0164)),
        ((0.0396, 0.0168), (0.0600, 0.0173), (0.0643, 0.0283)),
    ),
    "siamese+aux": (
        *(1e-3, 0.001, 2_762_698),
        ((0.0444, 0.0078), (0.119, 0.0430), (0.1221, 0.0146)),
        ((0.0140, 0.0084), (0.0166, 0.0152), (0.0296, 0.0106)),
    ),
}
#: The networks of which a round without augmentation takes seconds, and how many they have.
LIGHT, LIGHT_ROUNDS = ("mlp", "convnet"), 40
#: How many rounds networks have with augmentation; the others have three.
TABLE_2_ROUNDS = {"mlp": 20}
NETWORKS = {
    "mlp": networks.mlp,
    "convnet": networks.convnet,
    "deepconvnet": partial(networks.deepconvnet, auxiliary=False),
    "resnet": networks.resnet,
    "deepconvnet+aux": partial(networks.deepconvnet, auxiliary=True),
    "siamese": partial(networks.siamese, auxiliary=False),
    "siamese+aux": partial(networks.siamese, auxiliary=True),
}
#: Weights of each digit's and of the target's loss.
TEXT, CODE, FIGURE_3 = (
    {"auxiliary_weight": digit, "target_weight": target}
    for digit, target in ((0.3, 0.4), (0.15, 0.85), (0.3, 0.7))
)


def experiments() -> list[Experiment]:
    """Return the rows of both tables, by the text and by the code, and the two controls.

    As written: the auxiliary weights of the text. @augmented: Table II. @published: what the code
    ran where that differs, other auxiliary weights, and ConvNet's dropout on in evaluation too.
    @figure3: the settings behind Figure 3. @unshared: a control that the report lacks, two towers
    instead of one. The text does not mention an order of the pairs; in the code it is fixed.
    """
    aux = [name for name in TABLES if name.endswith("+aux")]
    coded = {"build": partial(networks.convnet, networks.AlwaysDropout)}
    table_2 = {"table": 2, "variant": "augmented"}
    coded_2 = {"table": 2, "variant": "augmented-published"}
    return [
        *(_row(name) for name in TABLES),
        _row("convnet", variant="published", **coded),
        *(_row(name, variant="published", weights=CODE) for name in aux),
        *(_row(name, **table_2) for name in TABLES),
        _row("convnet", **coded_2, **coded),
        *(_row(name, **coded_2, weights=CODE) for name in aux),
        *(
            _row(name, variant="figure3", weights=FIGURE_3, batch_size=25, rounds=3, table=None)
            for name in ("deepconvnet", "siamese+aux")
        ),
        *(
            _row(
                name,
                variant="unshared",
                table=None,
                build=partial(networks.siamese, shared=False, auxiliary=name.endswith("+aux")),
            )
            for name in ("siamese", "siamese+aux")
        ),
    ]


def _row(
    name: str,
    *,
    variant: str = "",
    table: int | None = 1,
    weights: dict[str, float] = TEXT,
    batch_size: int = 50,
    rounds: int = 10,
    build=None,
) -> Experiment:
    """Make one experiment; table: which printed row it answers, None for none."""
    rate, decay, count, *printed = TABLES[name]
    light = name in LIGHT
    recipe = Recipe(
        epochs=200 if table == 2 else 25,
        batch_size=batch_size,
        learning_rate=rate,
        weight_decay=decay,
        order="fixed",
        validation_share=0.1,
        augmentation="re-pairing" if table == 2 else "none",
        # To score all pairs of a deep network in each of 200 epochs takes as long as to train it.
        curve_step=10 if table == 2 and not light else 1,
        **(weights if name.endswith("+aux") else {}),
    )
    published = ()
    if table:
        published = tuple(
            Published(
                quantity=quantity,
                mean=round(100 * mean, 3),
                sd=round(100 * sd, 3),
                n=(10, 3)[table - 1],
                row=f"Table {'I' * table}, {name}",
            )
            for quantity, (mean, sd) in zip(
                ("train_error", "validation_error", "test_error"), printed[table - 1], strict=True
            )
        )
    lost_digit = 274_626 if (name, table) == ("resnet", 2) else None  # Table II: "2 74626"
    return Experiment(
        **named("cadei", name, variant),
        build=build or NETWORKS[name],
        recipe=recipe,
        rounds=TABLE_2_ROUNDS.get(name, 3) if table == 2 else LIGHT_ROUNDS if light else rounds,
        published=published,
        reported_parameters=None if variant == "unshared" else lost_digit or count,
        counted="misprinted" if lost_digit else "printed",
        tags=frozenset() if light and table != 2 else frozenset({"large" if light else "deep"}),
    )


DESIGNS = [
    Design(
        report="cadei",
        model="siamese",
        cells=tuple(f"cadei/siamese{of}" for of in ("@unshared", "", "+aux@unshared", "+aux")),
        baseline="two branches",
    ),
    *(
        Design(
            report="cadei",
            model="deepconvnet",
            variant=variant,
            cells=tuple(
                f"cadei/{name}{'@' if variant else ''}{variant}"
                for name in ("deepconvnet", "siamese", "deepconvnet+aux", "siamese+aux")
            ),
            baseline="one stacked net",
        )
        for variant in ("", "augmented")
    ),
]
