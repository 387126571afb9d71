"""The commands of `sojourn`, one module for each group of them."""

from __future__ import annotations

import typer

from sojourn.cli import demo, eval_command
from sojourn.cli.commands import (
    call,
    develop,
    endpoints,
    instance_actions,
    journeys,
    keys,
    profiles,
    projects,
    replaying,
    send,
    serve,
    steering,
    testing,
    versions,
    web_ui,
)

START, PROJECT, LOOK, DEPLOY = "Start here", "A project", "Events and instances", "A deployment"


def register(app: typer.Typer) -> None:
    """Add every command to the application, in the order in which the help shows them."""
    app.command("demo", rich_help_panel=START)(demo.demo)
    app.command("init", rich_help_panel=START)(develop.init)
    app.command("dev", rich_help_panel=START)(develop.dev)
    app.command("validate", rich_help_panel=PROJECT)(projects.validate)
    app.command("test", rich_help_panel=PROJECT)(testing.run_tests)
    app.command("replay", rich_help_panel=PROJECT)(replaying.replay)
    app.command("publish", rich_help_panel=PROJECT)(projects.publish)
    app.command("schema", rich_help_panel=PROJECT)(projects.schema)
    app.command("eval", rich_help_panel=PROJECT)(eval_command.evaluate)
    app.command("call", rich_help_panel=PROJECT)(call.call)
    app.command("send", rich_help_panel=LOOK)(send.send)
    versions.register()
    app.add_typer(journeys.app, name="journeys", rich_help_panel=LOOK)
    app.add_typer(instance_actions.app, name="instances", rich_help_panel=LOOK)
    app.command("console", rich_help_panel=LOOK)(web_ui.console)
    app.command("operations", rich_help_panel=LOOK)(steering.operations)
    app.add_typer(endpoints.app, name="endpoints", rich_help_panel=LOOK)
    app.add_typer(profiles.app, name="profiles", rich_help_panel=LOOK)
    app.command("api", rich_help_panel=DEPLOY)(serve.api)
    app.command("worker", rich_help_panel=DEPLOY)(serve.worker)
    app.add_typer(keys.app, name="keys", rich_help_panel=DEPLOY)
    app.command("version", rich_help_panel=DEPLOY)(serve.version)
