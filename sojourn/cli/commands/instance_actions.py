"""`sojourn instances pause ID` and the like: steering one instance."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from typer.core import TyperGroup

from sojourn.cli.commands import watching
from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import say, show_json, warn


class ShowsByDefault(TyperGroup):
    """A group in which `show` may be left out: `sojourn instances ID` is `sojourn instances show ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` before arguments that name no command."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ShowsByDefault,
    help="Lists instances, shows one with its steps, or steers one. Without a command: `show`.",
)
app.command("show")(watching.instances)

IdArgument = Annotated[str, typer.Argument(help="The instance: JOURNEY:PROFILE.", metavar="ID")]


@app.command("pause")
def pause(
    instance: IdArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Freezes one instance before its next step. Resuming its journey does not resume it."""
    _steer("pause", instance, api, key, as_json)


@app.command("resume")
def resume(
    instance: IdArgument, api: ApiOption = None, key: KeyOption = None, as_json: JsonOption = False
) -> None:
    """Lets one instance go on that was paused by itself."""
    _steer("resume", instance, api, key, as_json)


@app.command("exit")
def exit_instance(
    instance: IdArgument,
    reason: Annotated[
        str | None, typer.Option(help="Becomes the text of its outcome.", metavar="TEXT")
    ] = None,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ends one instance as exited, at once, wherever it stands."""
    _steer("exit", instance, api, key, as_json, reason)


@app.command("stop")
def stop(
    instance: IdArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ends one instance as stopped, at once, wherever it stands."""
    if not yes:
        typer.confirm(f"Stop {instance} for good?", abort=True, err=True)
    _steer("stop", instance, api, key, as_json)


def _steer(
    act: str, instance: str, api: str | None, key: str | None, as_json: bool, reason: str | None = None
) -> None:
    from sojourn.cli.api_client import ApiClient, api_url

    with ApiClient(api_url(api), key) as client:
        answer = client.post(f"/v1/instances/{quote(instance, safe='')}/{act}", None, reason=reason)
    if as_json:
        show_json(answer)
        return
    found = answer["instance"]
    say(f"{found['workflow_id']}: {watching.standing(found)}")
    if found["source"] == "temporal":
        warn("No worker answers: what was asked is kept, and takes effect when one is back.")
    if act == "resume" and found["paused"]:
        warn(f"It stays paused with its journey: `sojourn journeys resume {found['journey']}`.")
