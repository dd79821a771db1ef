"""What notebooks import, imported once for several: kernels are forked from here on."""

import contextlib
import gc

import ipykernel.kernelapp  # noqa: F401
import matplotlib_inline.config  # noqa: F401
import pandas

from digits.analysis import baselines, beyond, choices, findings, posteriors  # noqa: F401
from digits.models import summary  # noqa: F401
from digits.output import best, committed, openings, plots, replication, sentences, tables  # noqa: F401
from digits.study import Study

pandas.set_option("display.max_columns", 20)  # it asks as it is imported whether it is in a kernel
with contextlib.suppress(Exception):  # told by the notebooks that want them
    Study().table("*")  # records are read once
gc.collect()
gc.freeze()  # a collection in a fork would look through, and copy, all that is here
gc.disable()  # a kernel that no person watches ends before what is not collected matters
