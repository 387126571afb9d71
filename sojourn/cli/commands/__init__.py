"""The commands of `sojourn`, one module for each group of them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import typer

from sojourn.cli.commands import serve


def register(app: typer.Typer) -> None:
    """Add every command to the application, in the order in which the help shows them."""
    run = "Run"
    if find_spec("sojourn.cli.demo"):
        app.command("demo", rich_help_panel=run)(import_module("sojourn.cli.demo").demo)
    app.command("worker", rich_help_panel=run)(serve.worker)
    app.command("api", rich_help_panel=run)(serve.api)
