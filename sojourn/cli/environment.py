"""Reading the settings and opening the database, with errors for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn.cli.console import CliError, ExitCode

if TYPE_CHECKING:
    from sojourn.settings import Settings
    from sojourn.store import Store


def load_settings(**overrides: Any) -> Settings:
    """Return the settings that the environment gives.

    Args:
        overrides: Fields that the command line sets; those that are None are left to the environment.

    Raises:
        CliError: A variable has a value that makes no sense; the message names each.
    """
    from pydantic import ValidationError

    from sojourn.settings import Settings

    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        lines = [f"SOJOURN_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise CliError("the settings are not right:\n  " + "\n  ".join(lines), ExitCode.USAGE) from None


async def open_store(settings: Settings) -> Store:
    """Open the database and bring it to this version's form.

    Args:
        settings: Says which database.

    Raises:
        CliError: It cannot be opened; the message says which one and why.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from sojourn.store import Store

    try:
        store = await Store.open(settings.database)
    except (ValueError, ImportError) as error:
        raise CliError(f"SOJOURN_DATABASE: {error}", ExitCode.USAGE) from error
    except (SQLAlchemyError, OSError) as error:
        raise _cannot_open(settings, error) from error
    try:
        await store.migrate()
    except (SQLAlchemyError, OSError) as error:
        await store.close()
        raise _cannot_open(settings, error) from error
    return store


def _cannot_open(settings: Settings, error: Exception) -> CliError:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()
    # The URL may hold a password, so only what names the place is shown.
    place = settings.database.rpartition("@")[2] if "@" in settings.database else settings.database
    return CliError(
        f"the database {place} cannot be used: {reason[0] if reason else type(error).__name__}. "
        "Set SOJOURN_DATABASE to another one, or make this one reachable.",
        ExitCode.UNREACHABLE,
    )
