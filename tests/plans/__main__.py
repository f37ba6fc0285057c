"""Plans beside the model, as many sequences as told: `python -m tests.plans returns --sequences 50000 --seed 7`.

Ends with 1, and the shortest sequences that show it, where a plan does what the model does not allow.
"""

import argparse
import importlib
import sys

from tests.plans.against_model import Kind, play_all

KINDS = {
    "returns": ("tests.plans.returns_in_process", "RETURNS"),
    "orders": ("tests.plans.orders_in_process", "ORDERS"),
    "orders of lines": ("tests.plans.lines_in_process", "ORDERS_OF_LINES"),
    "returns of lines": ("tests.plans.returned_lines_in_process", "RETURNS_OF_LINES"),
    "refunds": ("tests.plans.refunds_in_process", "REFUNDS"),
}


def main() -> int:
    """Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.plans", description="Plans beside the model.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--sequences", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="the first sequence's, to play it again")
    parser.add_argument("--differences", type=int, default=3, help="after how many it stops (default: 3)")
    told = parser.parse_args()
    module, name = KINDS[told.kind]
    kind: Kind = getattr(importlib.import_module(module), name)
    figures = play_all(kind, range(told.seed, told.seed + told.sequences), told.differences)
    sys.stdout.write("\n\n".join([*figures.differences, figures.table(kind)]) + "\n")
    return 1 if figures.differences else 0


if __name__ == "__main__":
    sys.exit(main())
