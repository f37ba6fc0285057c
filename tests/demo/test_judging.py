"""How the demo judges: by what the cases say and what the partners did, never by what it did itself."""

import dataclasses
import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from rich.console import Console

from starter.demo import stories_orders
from starter.demo.partner_effects import PartnerEffects
from starter.demo.play import free_order_ids, movable_clocks, play_stories
from starter.demo.progress import StoryProgress
from starter.demo.sample_data import BRAKE_PADS, CASCADE, IN_SACRAMENTO, NORTHWIND
from starter.demo.story import DemoEnvironment, PlayedStory, Story, StoryRun
from starter.sandbox.facts import Effects, RefundFact
from tests.world import World


@pytest.fixture
def environment(world: World) -> DemoEnvironment:
    return DemoEnvironment(
        movable_clocks(world.client),
        world.sandbox,
        str(world.settings.front_url).rstrip("/"),
        world.settings.mail_staff,
        world.task_queue,
        timedelta(seconds=60),
    )


async def played(world: World, environment: DemoEnvironment, *stories: Story) -> list[PlayedStory]:
    return await play_stories(environment, world.engine, StoryProgress(Console(file=io.StringIO())), stories)


async def a_refund_that_is_expected_twice(story: StoryRun) -> None:
    await story.shipped_order(NORTHWIND, IN_SACRAMENTO, {BRAKE_PADS: 1}, CASCADE.supplier_id)
    refund = await story.refund_directly(Decimal("10.00"), "goodwill")
    await refund.ends("succeeded")
    story.expect("one refund of the buyer", lambda effects: effects.buyer_got("10.00"))
    story.expect("two refunds of the buyer", lambda effects: len(effects.buyer_refunds) == 2)


async def an_order_that_is_expected_to_be_cancelled(story: StoryRun) -> None:
    order = await story.order(NORTHWIND, IN_SACRAMENTO, {BRAKE_PADS: 1})
    await story.placed(order)
    await story.ship(order, CASCADE.supplier_id, {BRAKE_PADS: 1})
    await order.ends("cancelled")


async def test_a_story_misses_what_its_cases_or_partners_do_not_show(
    world: World, environment: DemoEnvironment
) -> None:
    refunded, shipped = await played(
        world,
        environment,
        Story("A refund", a_refund_that_is_expected_twice),
        Story("An order", an_order_that_is_expected_to_be_cancelled),
    )

    assert not refunded.as_expected
    assert refunded.misses == ("two refunds of the buyer",)
    assert not shipped.as_expected
    assert [(case.how, case.as_expected) for case in shipped.cases] == [("shipped", False)]


async def test_a_partner_out_of_order_is_seen(world: World, environment: DemoEnvironment) -> None:
    impatient = dataclasses.replace(environment, patience=timedelta(seconds=3))
    await world.sandbox.add_fault("shop", "error", match="PUT .*/shipping-list", times=None)

    [voided] = await played(world, impatient, Story("Voided", stories_orders.voided))

    assert not voided.as_expected
    assert "order-" in voided.misses[0], "it says which case did not do what"


async def test_a_story_that_breaks_off_does_not_stop_the_others(
    world: World, environment: DemoEnvironment
) -> None:
    async def broken(story: StoryRun) -> None:
        order = await story.order(NORTHWIND, IN_SACRAMENTO, {BRAKE_PADS: 1})
        await order.receives("resume", "seller:service-desk", reason="it was never on hold")

    refused, shipped = await played(
        world, environment, Story("Broken", broken), Story("Shipped", stories_orders.shipped)
    )

    assert "is not on hold" in refused.misses[0]
    assert not refused.as_expected
    assert shipped.as_expected, shipped.misses


async def test_each_run_takes_numbers_that_no_run_used(world: World, environment: DemoEnvironment) -> None:
    first = await free_order_ids(environment, world.engine, 1)
    [story] = await played(world, environment, Story("Cancelled", stories_orders.cancelled_in_time))
    second = await free_order_ids(environment, world.engine, 16)

    assert [story.order_id] == first
    assert story.as_expected, story.misses
    assert len(set(second)) == 16
    assert int(second[0]) == int(first[0]) + 100


def effects(**facts: object) -> Effects:
    nothing: dict[str, object] = {name: [] for name in Effects.model_fields}
    return Effects.model_validate_json(json.dumps(nothing | facts))


def refund(order_id: str, amount: str, status: str = "succeeded") -> dict[str, object]:
    return RefundFact.model_validate(
        {
            "id": f"re_{order_id}_{amount}_{status}",
            "account": None,
            "payment_intent": f"pi_demo_{order_id}",
            "charge": "ch_1",
            "amount": amount,
            "currency": "USD",
            "status": status,
            "failure_reason": None,
            "metadata": {"order_id": order_id},
        }
    ).model_dump(mode="json")


def test_only_an_orders_own_effects_count_and_money_counts_to_the_cent() -> None:
    all_orders = effects(
        refunds=[refund("1001", "10.00"), refund("1001", "10.00", "failed"), refund("11001", "7.00")]
    )

    of_order = PartnerEffects.of(all_orders, "1001", "pi_demo_1001")

    assert len(of_order.buyer_refunds) == 2
    assert of_order.buyer_got("10.00"), "the failed one does not count"
    assert not of_order.buyer_got("10.01")


def test_two_refunds_of_the_same_amount_are_not_one() -> None:
    twice = effects(refunds=[refund("1001", "10.00"), refund("1001", "10.00") | {"id": "re_2"}])

    assert not PartnerEffects.of(twice, "1001", "pi_demo_1001").buyer_got("10.00")
