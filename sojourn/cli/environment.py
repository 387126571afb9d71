"""Reading the settings and opening the database, with errors for people."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from sojourn.settings import Settings
    from sojourn.store import Store


def write_log() -> None:
    """Write the log of this process to standard error, a line for each entry."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    # At each start it names its own parts, before anything that concerns an operator.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


def load_settings(**overrides: Any) -> Settings:
    """Return the settings that the environment gives.

    Args:
        overrides: Fields that the command line sets; those that are None are left to the environment.

    Raises:
        CliError: A variable has a value that makes no sense; the message names each.
    """
    from pydantic import ValidationError

    from sojourn.settings import Settings

    _check_converter()
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        lines = [f"SOJOURN_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise CliError("the settings are not right:\n  " + "\n  ".join(lines), ExitCode.USAGE) from None


def _check_converter() -> None:
    """See that the data converter is there: told at once, it is a setting to mend and no failure of Temporal's."""
    if not os.environ.get("SOJOURN_DATA_CONVERTER"):
        return
    from sojourn.temporal.connection import ConverterError, data_converter

    try:
        data_converter()
    except ConverterError as error:
        raise CliError(f"the settings are not right: {error}", ExitCode.USAGE) from error


async def open_store(settings: Settings) -> Store:
    """Open the database and bring it to this version's form.

    Args:
        settings: Says which database.

    Raises:
        CliError: It cannot be opened; the message says which one and why.
    """
    from sojourn.store import Store, StoreError, StoreUnavailable

    store: Store | None = None
    try:
        store = await Store.open(settings.database, catalog_refresh=settings.catalog_refresh)
        await store.migrate()
    except StoreError as error:
        if store is not None:
            await store.close()
        unreachable = isinstance(error, StoreUnavailable)
        raise CliError(
            f"{error}. The database is the one that SOJOURN_DATABASE names.",
            ExitCode.UNREACHABLE if unreachable else ExitCode.USAGE,
        ) from error
    return store


def shown_database(settings: Settings) -> str:
    """Return the database's URL as it may be shown: without the password that it may hold."""
    from sqlalchemy.engine import make_url

    return make_url(settings.database).render_as_string(hide_password=True)
