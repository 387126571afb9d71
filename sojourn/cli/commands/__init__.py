"""The commands of `sojourn`, one module for each group of them."""

from __future__ import annotations

import typer

from sojourn.cli import demo, eval_command
from sojourn.cli.commands import develop, keys, projects, send, serve, watching

START, PROJECT, LOOK, DEPLOY = "Start here", "A project", "Events and instances", "A deployment"


def register(app: typer.Typer) -> None:
    """Add every command to the application, in the order in which the help shows them."""
    app.command("demo", rich_help_panel=START)(demo.demo)
    app.command("init", rich_help_panel=START)(develop.init)
    app.command("dev", rich_help_panel=START)(develop.dev)
    app.command("validate", rich_help_panel=PROJECT)(projects.validate)
    app.command("publish", rich_help_panel=PROJECT)(projects.publish)
    app.command("schema", rich_help_panel=PROJECT)(projects.schema)
    app.command("eval", rich_help_panel=PROJECT)(eval_command.evaluate)
    app.command("send", rich_help_panel=LOOK)(send.send)
    app.command("journeys", rich_help_panel=LOOK)(watching.journeys)
    app.command("instances", rich_help_panel=LOOK)(watching.instances)
    app.command("api", rich_help_panel=DEPLOY)(serve.api)
    app.command("worker", rich_help_panel=DEPLOY)(serve.worker)
    app.add_typer(keys.app, name="keys", rich_help_panel=DEPLOY)
    app.command("version", rich_help_panel=DEPLOY)(serve.version)
