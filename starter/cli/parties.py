"""`seller` and `supplier`: their settings, shown, set, and imported from YAML."""

from pathlib import Path
from typing import Annotated

import typer

from models.parties import Seller, Supplier
from starter.cli.commands import command_group


def _party_commands(model: type[Seller] | type[Supplier]) -> typer.Typer:
    """`list`, `show`, `set` and `import` for one kind of party."""
    name = model.__name__.lower()
    app = command_group(f"{model.__name__}s and their settings.")
    keys = ", ".join(field for field in model.model_fields if not field.endswith("_id"))

    @app.command("list", help=f"All {name}s.")
    def list_all(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
        from starter.cli.party_settings import REGISTERS, list_parties

        list_parties(REGISTERS[name], as_json)

    @app.command("show", help=f"The settings of a {name}, as YAML that can be imported again.")
    def show(
        party_id: Annotated[str, typer.Argument(metavar="ID")],
        as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    ) -> None:
        from starter.cli.party_settings import REGISTERS, show_party

        show_party(REGISTERS[name], party_id, as_json)

    @app.command(
        "set",
        help=f"Change settings of a {name}. Cases that run keep the settings they have taken.\n\n"
        f"Keys: {keys}. An empty value takes an optional one away; several values stand with commas.\n\n\b\n"
        f"Example:\n  backhaul {name} set acme language=de",
    )
    def set_some(
        party_id: Annotated[str, typer.Argument(metavar="ID")],
        changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...")],
    ) -> None:
        from starter.cli.party_settings import REGISTERS, set_party

        set_party(REGISTERS[name], party_id, changes)

    @app.command(
        "import",
        help=f"Add or replace {name}s from a YAML or JSON file: one, or a list.\n\n"
        "The whole file is checked before anything is written.\n\n\b\n"
        f"Example:\n  backhaul {name} import {name}s.yaml",
    )
    def import_file(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="`-`: standard input.")],
    ) -> None:
        from starter.cli.party_settings import REGISTERS, import_parties

        import_parties(REGISTERS[name], file)

    return app


seller = _party_commands(Seller)
supplier = _party_commands(Supplier)
