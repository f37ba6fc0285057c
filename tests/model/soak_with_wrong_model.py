"""The soak with a model that is wrong on purpose, so that it has something to find:
`python -m tests.model.soak_with_wrong_model --minutes 0 --sequences 1`."""

from dataclasses import replace

from tests.model import soak
from tests.model.order_procedure import OrderProcedure
from tests.model.order_state import OrderState
from tests.model.sequences import KINDS


class Elsewhere(OrderProcedure):
    """Orders that stand where no order ever stands."""

    def stage(self, state: OrderState) -> str:
        return "somewhere_else"


if __name__ == "__main__":
    order = KINDS["order"]
    KINDS.clear()
    KINDS["order"] = replace(order, procedure=Elsewhere)
    soak.main()
