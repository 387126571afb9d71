"""`sojourn demo`: an example journey, run for real on this machine."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sojourn.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from sojourn.cli.demos.screen import Screen
    from sojourn.cli.demos.stage import Stage
    from sojourn.cli.demos.verdict import Verdict

FLAKY = 50
"""Of the shop's effects in the demo of the purchases, every n-th fails at first."""


class Example(StrEnum):
    """The examples that can be shown."""

    CART = "cart-abandonment"
    PURCHASES = "second-purchase"


class Fault(StrEnum):
    """Defects of the demo shop that the demo must find."""

    NONE = "none"
    DROP = "drop"
    DOUBLE = "double"


def demo(
    example: Annotated[
        Example, typer.Argument(help="Which example to run.", show_default=True)
    ] = Example.CART,
    keep: Annotated[
        bool, typer.Option("--keep", help="Stay up afterwards, until Ctrl-C, to look around.")
    ] = False,
    orders: Annotated[
        int | None,
        typer.Option(help="For second-purchase: only so many orders, the earliest.", min=1, metavar="N"),
    ] = None,
    fault: Annotated[
        Fault,
        typer.Option(help="A defect of the demo shop, which the comparison must find.", hidden=True),
    ] = Fault.NONE,
) -> None:
    """Runs an example for real, and compares what happened with what had to happen.

    It starts Temporal, a worker, the API and a small shop in a temporary folder, publishes the example, posts
    its events over HTTP, and counts: instances by outcome, answers of the API, and the calls that the shop
    really received. `cart-abandonment` takes 20 customers through every path of the journey;
    `second-purchase` posts the 6,919 purchases of a real shop.

    Exit status 0 only if all of it is what the events demand.
    """
    from sojourn.local import run_until_stopped

    if orders is not None and example is not Example.PURCHASES:
        raise typer.BadParameter(f"only {Example.PURCHASES} has orders to limit", param_hint="--orders")
    _forget_settings()
    code = run_until_stopped(_demo(example, keep, orders, fault))
    if code != ExitCode.OK:
        raise typer.Exit(code)


def _forget_settings() -> None:
    """Drop what this shell says of another Sojourn: the demo has a database, a Temporal and keys of its own."""
    from sojourn.temporal.binary import BINARY_VARIABLE

    for name in [name for name in os.environ if name.startswith("SOJOURN_") and name != BINARY_VARIABLE]:
        del os.environ[name]


async def _demo(example: Example, keep: bool, orders: int | None, fault: Fault) -> int:
    from sojourn.cli.demos.screen import Screen
    from sojourn.cli.demos.stage import Stage

    screen = Screen()
    flaky = FLAKY if example is Example.PURCHASES else 0
    stage = Stage(example.value, flaky=flaky, fault=fault.value, notify=screen.note)
    screen.note("starting Temporal, a worker, the API and the demo shop")
    try:
        async with stage:
            screen.note("all parts are up")
            screen.say(f"         Temporal Web UI  {stage.stack.ui_url}")
            screen.say(f"         Sojourn API      {stage.stack.api_url}")
            screen.say(f"         demo shop's log  {stage.shop_url}/log")
            verdict, ground = await stage.run(_run(example, stage, screen, orders))
            screen.show(verdict, ground)
            if not verdict.agrees:
                stage.keep_folder = True
                screen.say(f"Databases and logs are kept in {stage.folder}")
            if keep:
                await _stay(stage, screen)
            return int(ExitCode.OK if verdict.agrees else ExitCode.PROBLEMS)
    except CliError:
        if stage.keep_folder:
            screen.say(f"Databases and logs are kept in {stage.folder}")
        raise


async def _run(example: Example, stage: Stage, screen: Screen, orders: int | None) -> tuple[Verdict, str]:
    if example is Example.PURCHASES:
        from sojourn.cli.demos import purchases

        return await purchases.run(stage, screen, limit=orders), purchases.GROUND
    from sojourn.cli.demos import cart

    return await cart.run(stage, screen), cart.GROUND


async def _stay(stage: Stage, screen: Screen) -> None:
    """Stay up until somebody asks to stop."""
    screen.say()
    screen.say("Everything stays up until Ctrl-C. To look around:")
    screen.say(f"  Temporal Web UI  {stage.stack.ui_url}")
    screen.say(f"  Sojourn API      {stage.stack.api_url}/docs")
    screen.say(f"  demo shop's log  {stage.shop_url}/log")
    screen.say("In another terminal, for `sojourn instances`, `sojourn journeys` and `sojourn send`:")
    screen.say(f"  export SOJOURN_API={stage.stack.api_url}")
    try:
        await stage.run(_for_ever())
    except asyncio.CancelledError:
        # Asked to stop: the check has been made, and its result is the status of the command.
        screen.say("Stopping.")


async def _for_ever() -> None:
    await asyncio.Event().wait()
