"""Options and arguments that several commands have, so that they are the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ApiOption = Annotated[
    str | None,
    typer.Option(
        "--api",
        help="URL of the API. If left out: SOJOURN_API, else the `sojourn dev` that runs in this project, "
        "else http://127.0.0.1:8080.",
        metavar="URL",
    ),
]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="API key. SOJOURN_API_KEY if left out.", metavar="KEY")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
ProjectArgument = Annotated[
    Path,
    typer.Argument(help="Folder of the journey project.", metavar="PROJECT", show_default="this folder"),
]
