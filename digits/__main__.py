"""`python -m digits` lists the experiments, `python -m digits readme` renews the README."""

import sys

from digits import readme, tables
from digits.errors import InputError
from digits.experiments import select


def main(arguments: list[str]) -> int:
    """Print the table of experiments matching the patterns given, or renew the README."""
    try:
        if arguments == ["readme"]:
            readme.write()
        else:
            table = tables.experiment_table(select(*(arguments or ["*"])))
            print(tables.markdown(table))
    except InputError as error:
        print(f"digits: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
