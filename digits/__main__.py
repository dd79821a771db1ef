"""`python -m digits` lists the experiments, `python -m digits readme` renews the README."""

import argparse
import sys

from digits import readme, tables
from digits.core import InputError
from digits.experiments import select


def main(arguments: list[str] | None = None) -> int:
    """Print the table of experiments matching the patterns given, or renew the README."""
    parser = argparse.ArgumentParser(prog="python -m digits", description=__doc__)
    parser.add_argument("pattern", nargs="*", help='ids such as "kqiku/*", or the word readme')
    patterns = parser.parse_args(arguments).pattern
    try:
        if patterns == ["readme"]:
            readme.write()
        else:
            print(
                tables.markdown(tables.experiment_table(select(*(patterns or ["*", "beyond/*"]))))
            )
    except InputError as error:
        print(f"digits: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
