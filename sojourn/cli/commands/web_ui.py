"""`sojourn console`: links to saved views of Temporal's Web UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sojourn.cli.commands.options import ApiOption, JsonOption, KeyOption
from sojourn.cli.output import CliError, ExitCode, out, say, show_json, warn

if TYPE_CHECKING:
    from sojourn.cli.web_ui_links import View

UI_VARIABLE = "SOJOURN_UI"


def console(
    journey: Annotated[
        str | None,
        typer.Argument(help="Also the views of this journey's versions and waiting steps.", metavar="NAME"),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Also the view of this profile's instances.", metavar="KEY")
    ] = None,
    ui: Annotated[
        str | None,
        typer.Option(
            help=f"Address of Temporal's Web UI. If left out: {UI_VARIABLE}, else that of the `sojourn dev` that runs "
            "in this project, else Temporal Cloud's or http://127.0.0.1:8233, by TEMPORAL_ADDRESS.",
            metavar="URL",
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            help="Temporal's namespace. TEMPORAL_NAMESPACE or `default` if left out.", metavar="NAME"
        ),
    ] = None,
    api: ApiOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prints links to views of Temporal's Web UI: which instances run, fail, wait where, and on which version.

    The Web UI keeps each view that was opened under its name, in the browser.
    """
    from sojourn.cli import web_ui_links

    address, space = _temporal(namespace)
    url = _ui(ui, address)
    found = [*web_ui_links.of_all(), *_of_journeys(journey, api, key)]
    if profile:
        from sojourn.cli.environment import load_settings

        found += web_ui_links.of_profile(profile, private=load_settings().private_keys)
    if as_json:
        listed = [{"name": view.name, "query": view.query, "url": view.url(url, space)} for view in found]
        show_json({"ui": url, "namespace": space, "views": listed})
        return
    _show(found, url, space)


def _show(found: list[View], url: str, namespace: str) -> None:
    from rich.text import Text

    say(f"Temporal Web UI {url}, namespace {namespace}\n")
    for view in found:
        out().print(Text(view.name, style="bold"))
        # As it is, in one line: terminals make a link of it, and nothing may break it.
        print(f"  {view.url(url, namespace)}")


def _of_journeys(journey: str | None, api: str | None, key: str | None) -> list[View]:
    """Return the views of the published journeys; those of one in full."""
    from urllib.parse import quote

    from sojourn.cli import web_ui_links
    from sojourn.cli.api_client import ApiClient, ApiUnreachableError, api_url

    try:
        with ApiClient(api_url(api), key) as client:
            if journey is None:
                listed = client.get("/v1/journeys")["journeys"]
                return [view for one in listed for view in web_ui_links.of_journey(one["name"], one["state"])]
            one: dict[str, Any] = client.get(f"/v1/journeys/{quote(journey, safe='')}")
    except ApiUnreachableError as error:
        warn(f"Which steps and versions there are is not known: {error}")
        return web_ui_links.of_journey(journey) if journey else []
    return [
        *web_ui_links.of_journey(journey, one["state"]),
        *web_ui_links.of_versions(journey, [version["version"] for version in one["versions"]]),
        *web_ui_links.of_steps(journey, one["definition"]["steps"]),
    ]


def _temporal(namespace: str | None) -> tuple[str, str]:
    """Return the address of Temporal and the namespace, as its own variables and profile say."""
    from temporalio.envconfig import ClientConfig

    try:
        config = ClientConfig.load_client_connect_config()
    except RuntimeError as error:
        raise CliError(f"Temporal's configuration cannot be read: {error}", ExitCode.USAGE) from error
    return str(config.get("target_host", "")), namespace or config.get("namespace") or "default"


def _ui(option: str | None, address: str) -> str:
    import os
    from urllib.parse import urlsplit

    from sojourn.cli.api_client import of_dev
    from sojourn.cli.web_ui_links import ui_of

    url = option or os.environ.get(UI_VARIABLE) or of_dev("ui") or ui_of(address)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CliError(
            f"{url!r} is no address of a Web UI: write it like http://127.0.0.1:8233", ExitCode.USAGE
        )
    return url.rstrip("/")
