"""Does the pure suite notice a fault? Deliberate ones, each one wrong line in a copy of the sources:
`python -m tests.plans.sabotage` (or with words of the names of those that are wanted).

For each it says who noticed: the comparison with the model, the rule tables, both. Exit code 1 when one was not
noticed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COPIED = ("models", "workflows", "tests/model", "tests/plans")
LINKED = ("activities", "starter", "docs", "pyproject.toml")
SEQUENCES = 4000
"""The model has so many to notice a fault by."""
LONGEST = 900
"""Seconds."""


@dataclass(frozen=True)
class Fault:
    """One wrong line. `kind`: whose part of the suite must notice it, by the model's name for it."""

    name: str
    kind: str
    file: str
    right: str
    wrong: str


FAULTS = (
    Fault(
        "a tracking number proves nothing",
        "returns",
        "workflows/returns/facts.py",
        "            self.parcels[0].at if self.parcels else None,\n            waiver.at",
        "            waiver.at",
    ),
    Fault(
        "fees are forgotten after a partial refund",
        "returns",
        "workflows/returns/refund_amounts.py",
        "most_refundable(f) - f.fees - moved",
        "most_refundable(f) - moved",
    ),
    Fault(
        "withdrawn although the goods were received",
        "returns",
        "workflows/returns/checks.py",
        "    if f.receipts:\n",
        "    if f.receipts and f.withdrawal:\n",
    ),
    Fault(
        "withdrawn although the buyer's refund is pending",
        "returns",
        "workflows/refunds/attempts.py",
        'return self.state in ("asked", "to_confirm", "pending", "succeeded", "in_doubt")',
        'return self.state in ("asked", "to_confirm", "succeeded", "in_doubt")',
    ),
    Fault(
        "a second click while a refund is under way",
        "returns",
        "workflows/returns/buyer_refund.py",
        "        if one.is_under_way:\n",
        '        if one.state == "asked":\n',
    ),
    Fault(
        "completed while somebody asks for more",
        "returns",
        "workflows/returns/plan.py",
        "    if f.clicks or not (seller_settled",
        "    if not (seller_settled",
    ),
    Fault(
        "a rejected return ends as withdrawn",
        "returns",
        "workflows/returns/plan.py",
        "if f.withdrawal is not None and not f.is_rejected:",
        "if f.withdrawal is not None:",
    ),
    Fault(
        "early events are lost",
        "returns",
        "workflows/returns/opening_results.py",
        "    return _judge(fresh, f.early)",
        "    return fresh",
    ),
    Fault(
        "refunded by itself although the marketplace refunded",
        "returns",
        "workflows/returns/settled.py",
        "(tried or buyer_settled(f) or f.refunded_by_channel)",
        "(tried or buyer_settled(f))",
    ),
    Fault(
        "what failed afterwards stays owed when it was made again",
        "returns",
        "workflows/refunds/attempts.py",
        'return _made_again(after, attempt) if state == "succeeded" else after',
        "return after",
    ),
    Fault(
        "completed while the buyer's money is in doubt",
        "returns",
        "workflows/returns/settled.py",
        "has_its_share(f) and not in_doubt and not",
        "has_its_share(f) and not",
    ),
    Fault(
        "a purchase order that is on its way can still be cancelled",
        "orders",
        "workflows/orders/facts.py",
        'return any(one.state != "found" for one in self.purchases[before:])',
        'return any(one.state not in ("found", "sent") for one in self.purchases[before:])',
    ),
    Fault(
        "the seller is refunded again and again",
        "orders",
        "workflows/orders/facts.py",
        "self.captured - self.cost_due - self.seller_refunds_asked",
        "self.captured - self.cost_due",
    ),
    Fault(
        "more is shipped than is open",
        "orders",
        "workflows/orders/shipments.py",
        "            left[line.line_id] = left.get(line.line_id, 0) - line.quantity\n    return left",
        "            left[line.line_id] = left.get(line.line_id, 0)\n    return left",
    ),
    Fault(
        "a parcel is announced of an order that staff stop",
        "orders",
        "workflows/orders/shipments.py",
        "if not f.parcels or f.is_given_up:",
        "if not f.parcels:",
    ),
    Fault(
        "a cancel request is always in time",
        "orders",
        "workflows/orders/cancellation.py",
        "if at is None or f.cancel_until is None or at >= f.cancel_until:",
        "if at is None or f.cancel_until is None:",
    ),
    Fault(
        "units that a supplier can't deliver stay with it",
        "orders",
        "workflows/orders/records.py",
        "return {line_id: count - self.short.get(line_id, 0) for line_id, count in found.items()}",
        "return found",
    ),
    Fault(
        "a warehouse that could not deliver is chosen again",
        "orders",
        "workflows/orders/purchases.py",
        'if one.state == "refused" or line.line_id in one.short',
        'if one.state == "refused"',
    ),
    Fault(
        "what has left is said to be missing",
        "orders",
        "workflows/orders/shortages.py",
        "min(count - gone.get(line_id, 0), still.get(line_id, 0), to_come.get(line_id, 0))",
        "min(count, still.get(line_id, 0))",
    ),
    Fault(
        "what has left by one order to a supplier is taken from another",
        "orders",
        "workflows/orders/shortages.py",
        "count - gone.get(line_id, 0)",
        "count",
    ),
    Fault(
        "a correction of the address that comes too late counts",
        "orders",
        "workflows/orders/address.py",
        "    return f.waits_for_stock or not (f.purchases or f.searches)\n",
        "    return True\n",
    ),
    Fault(
        "a special order can't be cancelled once its charge runs",
        "orders",
        "workflows/orders/cancellation.py",
        "if f.waits_for_stock or f.buys_special_order:",
        "if f.waits_for_stock:",
    ),
    Fault(
        "an order that goes abroad now needs no click",
        "orders",
        "workflows/orders/address.py",
        "return f.with_(hold=hold, held_at=f.now)",
        "return f",
    ),
    Fault(
        "a shipment that comes again replaces its number",
        "orders",
        "workflows/orders/shipments.py",
        "    if told != before:\n",
        "    if not told:\n",
    ),
    Fault(
        "a cancelled order keeps its authorization",
        "orders",
        "workflows/orders/ending.py",
        "return seller_charge.release(f) + shipping",
        "return shipping",
    ),
    Fault(
        "a person's word is taken while the gateway's own is awaited",
        "refunds",
        "workflows/refunds/facts.py",
        "return self.is_sending or unchecked or looking",
        "return self.is_sending",
    ),
    Fault(
        "a wrong claim is not answered",
        "refunds",
        "workflows/refunds/events.py",
        "        elif claim.is_contradicted_by(answer.state):",
        '        elif claim.is_contradicted_by(answer.state) and claim.status != "failed":',
    ),
    Fault(
        "a word about an unknown refund makes it",
        "refunds",
        "workflows/refunds/plan.py",
        "known_only=bool(f.claims) and not asked_for",
        "known_only=False",
    ),
    Fault(
        "a person's word is taken for a refund that is plainly pending",
        "refunds",
        "workflows/refunds/events.py",
        "    if f.in_doubt or f.postponed is not None:\n        return\n",
        "    if f.gateway_answered:\n        return\n",
    ),
    Fault(
        "a refund that failed is one that failed afterwards",
        "orders",
        "workflows/orders/refunds.py",
        'and (result.taken_back or attempt.state == "succeeded")',
        "and result.refund_id",
    ),
    Fault(
        "a refund that the gateway does not answer is not shown in doubt",
        "returns",
        "workflows/returns/refund_results.py",
        "        return _in_doubt_meanwhile(f, attempt, result)",
        "        return f",
    ),
    Fault(
        "a cancelled order does not look again for its buyer's refund",
        "orders",
        "workflows/orders/refunds.py",
        "            plan += _waited_for(f, Stage.CANCELLING, attempt, asked)\n"
        '        elif attempt.state == "in_doubt":\n            plan += _look_again(f, attempt)',
        "            plan += _waited_for(f, Stage.CANCELLING, attempt, asked)",
    ),
    Fault(
        "a gateway's no is a wrong event of whoever clicked",
        "returns",
        "workflows/returns/refund_results.py",
        'told.decline("buyer_refund"',
        'told.reject("buyer_refund"',
    ),
    Fault(
        "a later word keeps a success from being taken back",
        "refunds",
        "workflows/refunds/plan.py",
        "    if f.taken_back is None:\n",
        "    if f.taken_back is None and not f.claims:\n",
    ),
    Fault(
        "an event is counted twice",
        "returns",
        "workflows/engine/case.py",
        "self.seen_events | {event.event_id: name}",
        "{event.event_id: name}",
    ),
    Fault(
        "trouble outlives the effect that had it",
        "orders",
        "workflows/engine/case.py",
        "trouble = {key: why for key, why in self.trouble.items() if key != effect.key}",
        "trouble = self.trouble",
    ),
    Fault(
        "what is due at a moment is not due at it",
        "returns",
        "workflows/engine/pieces.py",
        "if facts.now >= moment else",
        "if facts.now > moment else",
    ),
    Fault(
        "an item that stands in two lines is guessed",
        "orders of lines",
        "models/naming.py",
        "    if len(open_ones) == 1 and decides:\n",
        "    if open_ones and decides:\n",
    ),
    Fault(
        "a kit's money is shared out equally",
        "orders of lines",
        "models/order_lines.py",
        "return [(part.unit_cost or Decimal(0)) * part.quantity for part in line.components]",
        "return [Decimal(1) for _ in line.components]",
    ),
    Fault(
        "a kit has one of each of its components",
        "returns of lines",
        "models/naming.py",
        "quantity=count * each)",
        "quantity=count)",
    ),
    Fault(
        "refunded units are counted by item, not by line",
        "returns of lines",
        "workflows/returns/refund_amounts.py",
        "found[str(line.line_id)] = found.get(str(line.line_id), 0) + line.quantity",
        "found[str(line.sku)] = found.get(str(line.sku), 0) + line.quantity",
    ),
)


def main() -> int:
    """Gives the exit code."""
    wanted = sys.argv[1:]
    faults = [one for one in FAULTS if not wanted or any(word in one.name for word in wanted)]
    with tempfile.TemporaryDirectory(prefix="backhaul-sabotage-") as name:
        folder = Path(name)
        copy_sources(folder)
        for kind in dict.fromkeys(fault.kind for fault in faults):
            require_good(kind, folder)
        missed = [fault for fault in faults if not is_noticed(fault, folder)]
    sys.stdout.write(f"{len(faults)} faults, {len(missed)} not noticed\n")
    return 1 if missed else 0


def is_noticed(fault: Fault, folder: Path) -> bool:
    """Whether the pure suite fails with this fault in the copy there; says by which of its parts."""
    file = folder / fault.file
    right = file.read_text()
    count = right.count(fault.right)
    assert count == 1, f"{fault.name}: its line stands {count} times in {fault.file}"
    file.write_text(right.replace(fault.right, fault.wrong))
    by = " and ".join(failing_parts(fault.kind, folder))
    file.write_text(right)
    sys.stdout.write(f"{fault.name:62} {f'noticed by {by}' if by else 'NOT NOTICED'}\n")
    sys.stdout.flush()
    return bool(by)


def require_good(kind: str, folder: Path) -> None:
    """Raises RuntimeError when this kind's suite fails without any fault: then it would notice whatever it is."""
    if failing := failing_parts(kind, folder):
        raise RuntimeError(f"without a fault, {kind} fail already by {' and '.join(failing)}: mend that first")


def failing_parts(kind: str, folder: Path) -> list[str]:
    """Which parts of this kind's suite fail in the copy there."""
    model = ("-m", "tests.plans", kind, "--sequences", str(SEQUENCES), "--differences", "1")
    folder_of_rules = f"tests/plans/{kind.partition(' ')[0]}"
    rules = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--noconftest", folder_of_rules)
    parts = {"the model": model, "the rules": rules}
    return [part for part, command in parts.items() if _fails(folder, command)]


def copy_sources(folder: Path) -> None:
    """What may be spoilt is copied, the rest is linked."""
    ignored = shutil.ignore_patterns("__pycache__", "histories")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)


def _fails(folder: Path, command: tuple[str, ...]) -> bool:
    """Whether a part of the suite fails there."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        (sys.executable, *command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise RuntimeError(f"the suite does not run:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
