"""`python -m digits` lists the experiments; `readme` and `choose` renew what records decide.

python -m digits 'kqiku/*'   the experiments whose ids match; 'search/*' those of searches
python -m digits readme      the README's numbers and RESULTS.md
python -m digits choose      learning rates and steps that the folds choose
"""

import argparse
import json
import sys

from digits import core
from digits.core import InputError
from digits.experiments.chosen import FILE
from digits.experiments.registry import select
from digits.output import readme, tables

#: What names other folders here.
FOLDERS = "DIGITS_RESULTS or DIGITS_DATA"


def main(arguments: list[str] | None = None) -> int:
    """Print the table of experiments matching the patterns given, or renew a file."""
    parser = argparse.ArgumentParser(
        prog="python -m digits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("pattern", nargs="*", help="ids such as 'kqiku/*', or one of the words")
    with core.lasting_streams():
        patterns = parser.parse_args(arguments).pattern
        try:
            if patterns == ["readme"]:
                readme.write()
            elif patterns == ["choose"]:
                core.write(FILE, json.dumps(readme.chosen()._asdict(), indent=1) + "\n")
            else:
                experiments = select(*(patterns or ["*", "beyond/*"]))
                print(tables.markdown(tables.experiment_table(experiments)), flush=True)
        except (InputError, OSError) as error:
            told = error if isinstance(error, InputError) else core.fault(error, options=FOLDERS)
            print(f"digits: {told}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
