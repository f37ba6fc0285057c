"""The pure part of each procedure in which money moves."""

from models import contract
from tests.plans.rig import Pure
from workflows.claims import events as claim_events
from workflows.claims import plan as claim_plan
from workflows.cost_reviews import events as review_events
from workflows.cost_reviews import plan as review_plan
from workflows.orders import events as order_events
from workflows.orders import plan as order_plan
from workflows.refunds import events as refund_events
from workflows.refunds import plan as refund_plan
from workflows.returns import checks as return_checks
from workflows.returns import events as return_events
from workflows.returns import plan as return_plan

ORDERS = Pure(contract.ORDER_KIND, order_events.check, order_events.apply, order_plan.plan)
RETURNS = Pure(contract.RETURN_KIND, return_checks.check, return_events.apply, return_plan.plan)
REFUNDS = Pure(contract.REFUND_KIND, refund_events.check, refund_events.apply, refund_plan.plan)
CLAIMS = Pure(contract.CLAIM_KIND, claim_events.check, claim_events.apply, claim_plan.plan)
REVIEWS = Pure(contract.COST_REVIEW_KIND, review_events.check, review_events.apply, review_plan.plan)
