"""Personal data stands in payloads, books and mails, and in no open place.

One representative set of cases is played once, with every word of the buyer unmistakable; each test looks
into one place.
"""

from collections.abc import AsyncIterator
from typing import Any

from temporalio.api.sdk.v1 import UserMetadata

from tests.case_story import CaseStory
from tests.return_story import returning_from, shipped_order
from tests.security.buyer import BUYER, NAME, REASON, STREET, said
from tests.security.sample_cases import QUOTING, Played
from tests.world import World


def test_the_cases_do_hold_what_is_looked_for(played: Played) -> None:
    assert said(played.payloads) == said(f"{BUYER} {REASON}")
    assert len(played.ids) >= 6


def test_no_id_search_attribute_or_memo_is_personal(played: Played) -> None:
    assert said(" ".join(played.ids)) == []
    assert said(played.listed) == []


def test_no_log_line_is_personal_also_at_debug(played: Played) -> None:
    lines = [line for line in played.log.splitlines() if said(line)]
    assert lines == []


def test_no_metric_is_personal(played: Played) -> None:
    assert "temporal_workflow_completed" in played.metrics
    assert said(played.metrics) == []


def test_no_failure_in_a_history_is_personal(played: Played) -> None:
    assert "RefusedByPartner" in played.failures
    assert said(played.failures) == []


def test_no_answer_to_a_wrong_event_quotes_it(played: Played) -> None:
    assert said(played.refusals) == []


def test_no_partner_that_quotes_the_buyer_is_quoted(played: Played) -> None:
    told = [mail for mail in played.mails if "staff" in " ".join(mail.recipients)]
    assert told, "staff were told nothing"
    everywhere = f"{played.payloads} {played.log} {played.mails}"
    assert said(everywhere, (QUOTING, QUOTING.partition(",")[0])) == []


def words_of(metadata: UserMetadata) -> list[str]:
    """A summary and details."""
    return [payload.data.decode() for payload in (metadata.summary, metadata.details) if payload.data]


async def labels(case: CaseStory) -> AsyncIterator[str]:
    """What is written on a case and on its steps: summaries, details, current details, rejected events."""
    description = await case.handle.describe()
    for word in words_of(description.raw_description.execution_config.user_metadata):
        yield word
    for event in (await case.handle.fetch_history()).events:
        for word in words_of(event.user_metadata):
            yield word
    metadata: Any = await case.handle.query("__temporal_workflow_metadata")
    yield f"{metadata}"
    status = await case.status()
    yield f"{status.timeline} {status.rejected_events} {status.waiting_for}"


async def test_no_summary_and_no_details_of_a_case_name_its_buyer(world: World) -> None:
    back = await returning_from(world, *await shipped_order(world, buyer=BUYER))
    await back.approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.click()
    await back.ends("completed")
    refund = world.refund_story(f"RF-{back.id}-B1")
    for case in (back.order, back, refund):
        labelled = [label async for label in labels(case)]
        assert any("Waiting" in label or "Ended" in label for label in labelled)
        assert len(labelled) > 3
        assert [label for label in labelled if said(label)] == []


async def test_no_label_of_an_orphan_quotes_what_was_said(world: World) -> None:
    word = world.tracking_word() | {"note": f"for {NAME}, {STREET}; {REASON}"}
    orphan = await world.orphan(f"nobody knows {world.tag}", said=word)
    await orphan.reaches("unmatched")
    labelled = [label async for label in labels(orphan)]
    assert any("Waiting" in label for label in labelled)
    assert [label for label in labelled if said(label)] == []
    listed = str((await orphan.handle.describe()).typed_search_attributes)
    assert world.tag in listed
    assert said(listed) == []
