"""What `reason list` and `reason set` do."""

from typing import Any

from models.failures import InvalidInput, Problem
from models.parties import Seller
from models.reasons import Reason, reasons_of
from starter.cli.case_lookup import parties
from starter.cli.output import say, show_json, show_table


def list_reasons(seller_id: str | None, language: str, as_json: bool) -> None:
    """Raises NotFound (no such seller)."""
    own: tuple[Reason, ...] = ()
    if seller_id is not None:
        with parties() as books:
            own = books.seller(seller_id).reasons
    found = reasons_of(own)
    if as_json:
        show_json(found)
        return
    show_table(
        ("reason", "words", "languages", "note", "evidence", "evidence of a loss", "in use"),
        (
            (
                one.handle,
                one.in_language(language),
                tuple(sorted(one.words)),
                "needed" if one.note_required else "",
                "needed" if one.evidence_required else "",
                "needed" if one.loss_needs_evidence or one.evidence_required else "",
                one.in_use,
            )
            for one in found
        ),
    )


def set_reason(
    seller_id: str,
    handle: str,
    words: list[str],
    *,
    note: bool | None,
    evidence: bool | None,
    loss_evidence: bool | None,
    in_use: bool | None,
) -> None:
    """Raises NotFound (no such seller), InvalidInput."""
    with parties() as books:
        seller = books.seller(seller_id)
        known = {one.handle: one for one in reasons_of(seller.reasons)}.get(handle)
        said = {
            "note_required": note,
            "evidence_required": evidence,
            "loss_needs_evidence": loss_evidence,
            "in_use": in_use,
        }
        data: dict[str, Any] = (
            known.model_dump(mode="json") if known is not None else {"handle": handle, "words": {}}
        )
        data |= {name: value for name, value in said.items() if value is not None}
        data["words"] = {**data["words"], **_by_language(words)}
        if not data["words"]:
            why = 'is new: say its words, such as --words "en=core deposit"'
            raise InvalidInput("reason set", [Problem(handle[:100], why)])
        reason = Reason.at_the_door(data)
        own = (*(one for one in seller.reasons if one.handle != handle), reason)
        books.put_seller(Seller.at_the_door(seller.model_copy(update={"reasons": own}).model_dump(mode="json")))
    say(f"seller {seller_id}: reason {handle} {'is changed' if known is not None else 'is new'}")


def _by_language(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in words:
        language, separator, text = one.partition("=")
        if not (separator and language.strip() and text.strip()):
            raise InvalidInput("--words", [Problem(one[:100], "must be LANGUAGE=WORDS, such as de=defekt")])
        found[language.strip()] = text.strip()
    return found
