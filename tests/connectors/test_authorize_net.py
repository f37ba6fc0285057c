"""Authorize.Net's charges and refunds, against a sandbox that behaves as Authorize.Net does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from activities.connectors.authorize_net.client import invoice_number
from activities.connectors.authorize_net.gateway import AuthorizeNetGateway
from activities.connectors.authorize_net.terms import Terms
from activities.connectors.payment_gateway import PaymentGateway
from models.connections import Provider
from models.failures import InvalidInput, PartnerUnavailable, RefusedByPartner
from models.partners import AWAITS_SETTLEMENT, ChargeState, RefundAnswer
from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import PaymentSeed
from tests.connectors.gateway_calls import (
    DAY,
    HOUR,
    access,
    capture,
    captures,
    charge,
    lost,
    refund,
    refunded,
    refunds,
    void,
)

BUYERS = "60155500001"
GOOD, DECLINED, HELD = "70001", "70002", "70004"
"""Payment profiles."""


class Clock:
    """The connector's clock goes with the sandbox's."""

    def __init__(self, sandbox: SandboxClient) -> None:
        self._sandbox = sandbox
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def advance(self, seconds: float) -> None:
        await self._sandbox.advance_clock(seconds)
        self._ahead += timedelta(seconds=seconds)


@pytest.fixture
def clock(sandbox: SandboxClient) -> Clock:
    return Clock(sandbox)


@pytest.fixture
async def net(running: RunningSandbox, clock: Clock) -> AsyncIterator[AuthorizeNetGateway]:
    to_sandbox = access(Provider.AUTHORIZE_NET, running.authorize_net_url, "test-key", login="acme")
    yield AuthorizeNetGateway(to_sandbox, clock.now)
    await to_sandbox.clients.aclose()


async def paid(sandbox: SandboxClient, id: str = BUYERS, customer: str | None = None) -> str:
    """A buyer's payment of 50 USD, of now; tonight it is settled."""
    seed = PaymentSeed(gateway="authorize_net", id=id, amount=Decimal("50.00"), currency="USD", customer=customer)
    await sandbox.seed_payment(seed)
    return id


async def settled(sandbox: SandboxClient, clock: Clock, customer: str | None = None) -> str:
    payment = await paid(sandbox, customer=customer)
    await clock.advance(DAY)
    return payment


def told(answer: RefundAnswer) -> tuple[str, str | None]:
    return answer.state, answer.reason


# ---- ORD-3: the seller's charge ----


async def test_ORD_3_a_charge_is_authorized_captured_in_part_and_given_back_after_the_night(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    authorized = await net.authorize(charge(GOOD), looks=False)
    assert authorized.state is ChargeState.AUTHORIZED
    taken = await net.capture(capture(authorized), looks=False)
    assert (taken.state, taken.captured) == (ChargeState.CAPTURED, Decimal("80.00"))
    assert taken.gateway_reference == authorized.gateway_reference
    assert [one.amount for one in await captures(sandbox)] == [Decimal("80.00")]
    await clock.advance(DAY)
    assert taken.gateway_reference is not None
    answer = await net.refund(refund(taken.gateway_reference, "RF-1001-S1", "30.00"), looks=False)
    assert told(answer) == ("pending", AWAITS_SETTLEMENT)


@pytest.mark.parametrize(
    ("method", "reason"), [(DECLINED, "declined"), ("pm_card_visa", "payment_method_not_at_this_gateway")]
)
async def test_ORD_3_a_decline_is_an_answer(
    net: AuthorizeNetGateway, sandbox: SandboxClient, method: str, reason: str
) -> None:
    answer = await net.authorize(charge(method), looks=False)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, reason)


async def test_ORD_3_what_is_held_for_review_is_voided_and_declined(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    """Approved later, it would be a second charge."""
    answer = await net.authorize(charge(HELD), looks=False)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, "held_for_review")
    assert answer.gateway_reference is not None
    assert (await net.void(void(answer))).state is ChargeState.VOIDED


async def test_REF_14_what_is_finer_than_two_decimals_is_refused_and_never_rounded(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    """10.515 KWD would have been sent as 10.52: more than was reserved."""
    fine = charge(GOOD).model_copy(update={"amount": Decimal("10.515"), "currency": "KWD"})
    with pytest.raises(ApplicationError, match=r"finer than authorize_net can move: .* 0\.010 KWD"):
        await net.authorize(fine, looks=False)
    assert await captures(sandbox) == []


@pytest.mark.parametrize("code", ["8", "E00040"])
async def test_ORD_3_a_card_that_is_no_good_is_a_decline(
    net: AuthorizeNetGateway, sandbox: SandboxClient, code: str
) -> None:
    await sandbox.add_fault("authorize_net", "refuse", code=code)
    assert (await net.authorize(charge(GOOD), looks=False)).state is ChargeState.DECLINED


async def test_CAN_1_a_void_never_takes_back_what_is_captured(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    first = await net.authorize(charge(GOOD), looks=False)
    for _ in range(2):
        assert (await net.void(void(first))).state is ChargeState.VOIDED
    assert (await net.capture(capture(first), looks=True)).state is ChargeState.EXPIRED
    second = await net.authorize(charge(GOOD, "CH-1001-2", "90.00"), looks=False)
    await net.capture(capture(second), looks=False)
    late = await net.void(void(second))
    assert (late.state, late.captured) == (ChargeState.CAPTURED, Decimal("80.00"))
    assert [one.amount for one in await captures(sandbox)] == [Decimal("80.00")]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("seconds", [0, HOUR, 2 * DAY])
@pytest.mark.parametrize("looks", [True, False])
async def test_REF_6_a_charge_whose_answer_is_lost_is_made_once(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock, fault: str, seconds: int, looks: bool
) -> None:
    """Without a look only the window protects it, and that for eight hours."""
    await sandbox.add_fault("authorize_net", fault)
    await lost(net.authorize(charge(GOOD), looks=False))
    await clock.advance(seconds)
    answer = await net.authorize(charge(GOOD), looks=looks or seconds > 8 * HOUR)
    assert answer.state is ChargeState.AUTHORIZED
    assert len([one for one in await sandbox.requests("authorize_net") if one.work_done]) == 1


async def test_ORD_3_two_charges_of_one_amount_are_both_made(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    first = await net.authorize(charge(GOOD, "CH-1001-1"), looks=False)
    second = await net.authorize(charge(GOOD, "CH-1002-1"), looks=False)
    assert second.state is ChargeState.AUTHORIZED
    assert first.gateway_reference != second.gateway_reference


async def test_REF_6_a_capture_whose_answer_is_lost_is_made_once(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    authorized = await net.authorize(charge(GOOD), looks=False)
    await sandbox.add_fault("authorize_net", "drop_after")
    await lost(net.capture(capture(authorized), looks=False))
    await clock.advance(2 * DAY)
    taken = await net.capture(capture(authorized), looks=True)
    assert (taken.state, taken.captured) == (ChargeState.CAPTURED, Decimal("80.00"))


# ---- before the nightly settlement ----


async def test_REF_6_all_of_an_unsettled_payment_is_voided(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    answer = await net.refund(refund(payment, amount="50.00"), looks=False)
    assert (answer.state, answer.gateway_refund_id) == ("succeeded", payment)
    assert await refunded(sandbox) == ["50.00"]


async def test_REF_6_a_void_whose_answer_is_lost_is_found(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    await sandbox.add_fault("authorize_net", "delay", seconds=0)  # the look at the payment
    await sandbox.add_fault("authorize_net", "drop_after")
    await lost(net.refund(refund(payment, amount="50.00"), looks=False))
    assert (await net.refund(refund(payment, amount="50.00"), looks=True)).state == "succeeded"
    assert (await net.find_refund(refund(payment, amount="50.00"))).state == "succeeded"
    assert await refunded(sandbox) == ["50.00"]


async def test_REF_6_part_of_an_unsettled_payment_waits_for_the_settlement(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await paid(sandbox)
    answer = await net.refund(refund(payment), looks=False)
    assert told(answer) == ("later", AWAITS_SETTLEMENT)
    assert answer.again_at is not None
    assert timedelta(0) < answer.again_at - clock.now() <= timedelta(hours=26)
    assert await refunds(sandbox) == []
    await clock.advance((answer.again_at - clock.now()).total_seconds() + 1)
    assert (await net.refund(refund(payment), looks=True)).state == "pending"
    assert await refunded(sandbox) == ["10.00"]


async def test_REF_9_what_somebody_voided_at_the_gateway_is_refused(
    net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    await net.refund(refund(payment, amount="50.00"), looks=False)
    assert told(await net.refund(refund(payment, "RF-2", "10.00"), looks=False)) == ("refused", "payment_voided")


# ---- after it ----


@pytest.mark.parametrize("customer", ["500", None])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("seconds", [0, HOUR, 3 * DAY, 40 * DAY])
async def test_REF_6_a_refund_whose_answer_is_lost_is_made_once_at_once_and_months_later(
    net: AuthorizeNetGateway,
    sandbox: SandboxClient,
    clock: Clock,
    customer: str | None,
    fault: str,
    seconds: int,
) -> None:
    payment = await settled(sandbox, clock, customer)
    ask = refund(payment)
    await net.find_refund(ask)
    await sandbox.add_fault("authorize_net", "delay", seconds=0)  # the look at the payment
    await sandbox.add_fault("authorize_net", fault)
    await lost(net.refund(ask, looks=False))
    await clock.advance(seconds)
    answer = await net.refund(ask, looks=True)
    assert answer.state in ("pending", "succeeded")
    (fact,) = await refunds(sandbox)
    assert answer.gateway_refund_id == fact.id


async def test_REF_6_a_second_first_try_within_the_window_is_our_own_success(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    first = await net.refund(refund(payment), looks=False)
    again = await net.refund(refund(payment), looks=False)
    assert (again.state, again.gateway_refund_id) == ("pending", first.gateway_refund_id)
    assert await refunded(sandbox) == ["10.00"]


@pytest.mark.parametrize("looks", [True, False])
async def test_REF_6_two_different_refunds_of_one_amount_both_happen(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock, looks: bool
) -> None:
    payment = await settled(sandbox, clock)
    for number in (1, 2, 3):
        assert (await net.refund(refund(payment, f"RF-{number}"), looks=looks)).state == "pending"
    assert await refunded(sandbox) == ["10.00"] * 3
    for number in (1, 2, 3):
        assert (await net.find_refund(refund(payment, f"RF-{number}"))).state == "pending"


async def test_REF_7_a_refund_is_pending_until_the_next_settlement_and_may_fail_in_it(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    answer = await net.refund(refund(payment), looks=False)
    assert answer.again_at is not None
    await clock.advance((answer.again_at - clock.now()).total_seconds() + 1)
    assert (await net.find_refund(refund(payment))).state == "succeeded"
    await net.refund(refund(payment, "RF-2", "5.00"), looks=False)
    await sandbox.settle_refund("RF-2", "failed")
    assert told(await net.find_refund(refund(payment, "RF-2", "5.00"))) == ("failed", "generalError")


async def test_REF_3_more_than_was_paid_is_refused(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    assert told(await net.refund(refund(payment, amount="50.01"), looks=False)) == ("refused", "amount_too_large")
    await net.refund(refund(payment, amount="30.00"), looks=False)
    over = await net.refund(refund(payment, "RF-2", "20.01"), looks=False)
    assert told(over) == ("refused", "amount_too_large")
    await net.refund(refund(payment, "RF-3", "20.00"), looks=False)
    none_left = await net.refund(refund(payment, "RF-4", "1.00"), looks=False)
    assert told(none_left) == ("refused", "payment_not_refundable")


async def test_REF_9_a_payment_that_is_too_old_is_refused_for_good(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    await clock.advance(181 * DAY)
    assert told(await net.refund(refund(payment), looks=True)) == ("refused", "refund_window_over")


async def test_REF_6_a_gateway_that_still_settles_is_asked_later(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    await sandbox.add_fault("authorize_net", "delay", seconds=0)
    await sandbox.add_fault("authorize_net", "refuse", code="50")
    assert told(await net.refund(refund(payment), looks=False)) == ("later", AWAITS_SETTLEMENT)


@pytest.mark.parametrize("reference", ["60199999999", "pi_stripes", "8MC585209K746392H"])
async def test_REF_9_a_payment_that_is_not_there_is_refused(
    net: AuthorizeNetGateway, sandbox: SandboxClient, reference: str
) -> None:
    assert told(await net.refund(refund(reference), looks=False)) == ("refused", "payment_not_found")
    assert (await net.find_refund(refund(reference))).state == "none"


async def test_REF_5_another_currency_than_the_accounts_is_refused(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    answer = await net.refund(refund(payment, currency="EUR"), looks=False)
    assert told(answer) == ("refused", "currency_mismatch")
    charged = await net.authorize(charge(GOOD, currency="EUR"), looks=False)
    assert (charged.state, charged.reason) == (ChargeState.DECLINED, "currency_not_supported")


# ---- the wire ----


async def test_REF_6_ids_that_are_too_long_stay_their_own(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    longest = [f"RF-{'x' * 150}-{number}" for number in (1, 2)]
    for refund_id in longest:
        assert (await net.refund(refund(payment, refund_id), looks=True)).state == "pending"
    assert await refunded(sandbox) == ["10.00", "10.00"]
    assert len(invoice_number(longest[0])) == 20


async def test_an_outage_is_one_though_it_is_answered_with_200(
    net: AuthorizeNetGateway, sandbox: SandboxClient, clock: Clock
) -> None:
    payment = await settled(sandbox, clock)
    for kind, code in (("error", None), ("rate_limit", None), ("error", "E00053")):
        await sandbox.add_fault("authorize_net", kind, code=code)
        await lost(net.refund(refund(payment), looks=False))
    await sandbox.add_fault("authorize_net", "delay", seconds=0)
    await sandbox.add_fault("authorize_net", "refuse", code="26")
    await lost(net.refund(refund(payment), looks=False))


async def test_a_connection_is_tried_and_told_in_words(
    running: RunningSandbox, net: AuthorizeNetGateway, sandbox: SandboxClient
) -> None:
    gateway: PaymentGateway = net
    await gateway.test()
    wrong = AuthorizeNetGateway(
        access(Provider.AUTHORIZE_NET, running.authorize_net_url, "5KP3u95bQpv", login="acme")
    )
    with pytest.raises(RefusedByPartner, match="E00007") as raised:
        await wrong.test()
    assert "5KP3u95bQpv" not in str(raised.value)
    await sandbox.add_fault("authorize_net", "error")
    with pytest.raises(PartnerUnavailable):
        await net.test()


def test_the_terms_are_options_of_the_connection(running: RunningSandbox) -> None:
    def terms(**options: str) -> Terms:
        return Terms.of(access(Provider.AUTHORIZE_NET, "http://127.0.0.1", "k", None, **options).connection)

    given = terms(currency="CAD", refund_window_days="120", settles_at="22:30")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert given.after_settlement(noon) == datetime(2026, 3, 3, 0, 30, tzinfo=UTC)
    assert given.is_too_old(noon, noon + timedelta(days=120))
    with pytest.raises(InvalidInput, match="settles_at"):
        terms(settles_at="8 o'clock")
    with pytest.raises(InvalidInput, match="login"):
        AuthorizeNetGateway(access(Provider.AUTHORIZE_NET, "http://127.0.0.1", "k"))
