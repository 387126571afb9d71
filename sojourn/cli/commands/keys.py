"""`sojourn keys`: API keys, directly in the database of the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from sojourn.cli.commands.options import JsonOption
from sojourn.cli.output import CliError, ExitCode, out, say, show_json, warn

if TYPE_CHECKING:
    from sojourn.store import Store

T = TypeVar("T")

app = typer.Typer(
    help="API keys. These commands work on the database that SOJOURN_DATABASE names, on its own machine.",
    no_args_is_help=True,
)


@app.command("create")
def create(
    label: Annotated[str, typer.Argument(help="Whose key it is, for people.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it is good for: events (sending), operate (publishing and steering), read. "
            "Give it several times for several; all three if left out.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Makes a key and prints it, once: only a hash of it is kept.

    As soon as there is a key, the API answers nobody without one.
    """
    from sojourn.store import SCOPES, StoreError

    async def work(store: Store, place: str) -> None:
        first = not await store.has_keys()
        try:
            created = await store.create_key(label, scope or SCOPES)
        except StoreError as error:
            raise CliError(str(error), ExitCode.USAGE) from error
        if as_json:
            show_json({"id": created.key.id, "key": created.secret, "scopes": sorted(created.key.scopes)})
        else:
            # The key alone on standard output, so that `KEY=$(sojourn keys create ...)` works.
            scopes = ", ".join(sorted(created.key.scopes))
            warn(f"Key {created.key.id} for {label} ({scopes}). It is shown only now:")
            say(created.secret)
        if first:
            warn("This is the first key: from now on the API wants one with every request.")

    _with_store(work)


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """Lists all keys, the revoked ones too. The keys themselves are kept nowhere."""

    async def work(store: Store, place: str) -> None:
        keys = await store.list_keys()
        if as_json:
            show_json(
                [
                    {
                        "id": key.id,
                        "label": key.label,
                        "scopes": sorted(key.scopes),
                        "created_at": key.created_at.isoformat(),
                        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                    }
                    for key in keys
                ]
            )
            return
        if not keys:
            say(f"There are no keys in {place}: the API serves its own machine only, without asking for one.")
            return
        from sojourn.cli.tables import moment, table

        rows = [
            (key.id, key.label, ", ".join(sorted(key.scopes)), moment(key.created_at), moment(key.revoked_at))
            for key in keys
        ]
        out().print(table(("Id", "Label", "Scopes", "Created", "Revoked"), rows))

    _with_store(work)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `sojourn keys list` shows it.")],
) -> None:
    """Makes a key worthless. Every API process notices within a second or so."""

    async def work(store: Store, place: str) -> None:
        if not await store.revoke_key(key_id):
            raise CliError(f"{place} has no good key {key_id!r}: `sojourn keys list` shows all")
        say(f"Key {key_id} is revoked.")

    _with_store(work)


def _with_store(work: Callable[[Store, str], Awaitable[None]]) -> None:
    from sojourn.cli.environment import load_settings, open_store, shown_database

    async def main() -> None:
        settings = load_settings()
        store = await open_store(settings)
        try:
            await work(store, shown_database(settings))
        finally:
            await store.close()

    asyncio.run(main())
