"""`reason`: why goods come back, as data: the default list, and each seller's own (RET-21)."""

from typing import Annotated

import typer

from starter.cli.commands import command_group

app = command_group("Reasons of returns (RET-21).")


@app.command(
    "list",
    help="The reasons that returns may name, by handle; `--seller`: with that seller's own and its changes.\n\n"
    "A return may give a handle, its words in any language, or words of its own.\n\n\b\n"
    "Example:\n  backhaul reason list --seller acme",
)
def list_all(
    seller: Annotated[
        str | None, typer.Option("--seller", help="The seller's id; none: the default list.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of the words, such as de.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Raises NotFound (no such seller)."""
    from starter.cli.reason_settings import list_reasons

    list_reasons(seller, language, as_json)


@app.command(
    "set",
    help="Add a reason to a seller's own, or change one; what is not said stays.\n\n\b\n"
    "Examples:\n"
    '  backhaul reason set acme core_deposit --words "en=core deposit" --words de=Altteilpfand\n'
    "  backhaul reason set acme damaged --needs-evidence\n"
    "  backhaul reason set acme better_price --not-in-use",
)
def set_one(
    seller: Annotated[str, typer.Argument(metavar="SELLER", help="The seller's id.")],
    handle: Annotated[str, typer.Argument(metavar="HANDLE", help="Such as core_deposit: it stays for ever.")],
    words: Annotated[
        list[str] | None,
        typer.Option("--words", metavar="LANGUAGE=WORDS", help="As people read it; may be given many times."),
    ] = None,
    note: Annotated[
        bool | None, typer.Option("--needs-note/--no-note", help="The buyer's words or a note must come with it.")
    ] = None,
    evidence: Annotated[
        bool | None, typer.Option("--needs-evidence/--no-evidence", help="A photo or document must come with it.")
    ] = None,
    loss_evidence: Annotated[
        bool | None,
        typer.Option(
            "--loss-needs-evidence/--loss-without-evidence",
            help="Must be there before it is approved that nothing comes back (RET-23).",
        ),
    ] = None,
    in_use: Annotated[
        bool | None, typer.Option("--in-use/--not-in-use", help="Whether new returns may name it.")
    ] = None,
) -> None:
    """Raises NotFound (no such seller), InvalidInput."""
    from starter.cli.reason_settings import set_reason

    set_reason(
        seller, handle, words or [], note=note, evidence=evidence, loss_evidence=loss_evidence, in_use=in_use
    )
