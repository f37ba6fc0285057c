"""All workflows that a worker runs."""

from typing import Final

from workflows.order import Order
from workflows.refund import Refund
from workflows.return_request import Return

WORKFLOWS: Final[list[type]] = [Order, Return, Refund]
