"""What happens, in which order, until when. One file per workflow; `run` reads like the procedure."""

from workflows.order import Order
from workflows.refund import Refund
from workflows.return_request import Return

WORKFLOWS: list[type] = [Order, Return, Refund]
"""All that a worker runs."""
