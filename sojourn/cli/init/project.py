"""The project that `sojourn init` writes: small, complete, and running without any other service."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.init.python import FILES as PYTHON_FILES
from sojourn.cli.project import write_schema

_README = """\
# A first journey

`journeys/welcome.yaml` follows each new customer: it waits for a first order, and notes how it went.

    sojourn test                           # runs the scenarios in tests/
    sojourn dev                            # Temporal, a worker and the API, until Ctrl-C
    sojourn send --file events.jsonl       # in another terminal: three customers, one order
    sojourn instances                      # what became of them
    sojourn instances welcome:ada          # one of them, step by step

While `sojourn dev` runs, change the journey and save: it is published as the next version, and those
inside keep the version that they entered. `sojourn validate` checks all files without running anything.

| file | what it is |
|---|---|
| `events.yaml` | the events: which customer they are about, and what their data look like |
| `endpoints.yaml` | the systems that journeys call |
| `journeys/welcome.yaml` | the journey |
| `tests/welcome.yaml` | scenarios: events at their moments, and what is expected of them |
| `events.jsonl` | events to try it with |
| `.env` | secrets, such as `MAIL_KEY=...`; write it yourself, it is not for git |

Sending `events.jsonl` twice changes nothing: an event counts once, by its id. For another round, give the
events new ids and the customers other names.
"""

_GITIGNORE = """\
# Data and logs of `sojourn dev`, and secrets.
.sojourn/
.env
"""

_PYTHON_IGNORE = """
# What Python and pytest keep.
__pycache__/
.pytest_cache/
"""

_EVENTS = """\
# yaml-language-server: $schema=.sojourn/schema.json
event: customer.signed-up
description: Somebody opened an account.
key: event.customerId                # which profile the event is about
schema:                              # JSON Schema of the event's data
  type: object
  required: [customerId, name]
  properties:
    customerId: {type: string}
    name: {type: string}
---
event: order.placed
description: A customer bought something.
key: event.customerId
schema:
  type: object
  required: [customerId, total]
  properties:
    customerId: {type: string}
    total: {type: number}
"""

_ENDPOINTS = """\
# yaml-language-server: $schema=.sojourn/schema.json
action: email.send                   # not called yet: see the end of journeys/welcome.yaml
method: POST
url: https://mail.example.com/v1/messages
auth: {type: api_key, header: X-Api-Key, value: {secret: MAIL_KEY}}   # MAIL_KEY stands in .env
parameters:
  customer: {type: string}
  template: {type: string}
body: {to: "${customer}", template: "${template}"}
"""

_JOURNEY = """\
# yaml-language-server: $schema=../.sojourn/schema.json
journey: welcome
description: Waits for the first order of a new customer.
entry: {event: customer.signed-up}
reentry: {allow: false}              # a customer signs up once
timeout: 7d                          # of the whole instance
steps:
  first-order:
    wait_for:
      - {event: order.placed, next: amount}
    timeout: {after: 20s, next: no-order}        # short, for trying it; in earnest perhaps 3d
  amount:
    set: {total: "${events['order.placed'].total}"}
  large:
    condition:
      - {when: steps.amount.total >= 100, next: large-order}
    else: small-order
  large-order: {end: large first order}
  small-order: {end: first order}
  no-order: {end: no order}

# To write to those who did not order, replace the last step by these and set MAIL_KEY and the URL:
#
#  no-order:
#    action: email.send
#    with: {customer: "${entry.customerId}", template: come-back}
#    on_error: not-written
#  written: {end: no order}
#  not-written: {end: mail failed}
"""

_SCENARIOS = """\
# What the journey is to do. `sojourn test` runs it: days take no time, and nothing is called.
scenario: a large first order
events:
  - {at: 0s, event: customer.signed-up, data: {customerId: ada, name: Ada}}
  - {at: 15s, event: order.placed, data: {customerId: ada, total: 120}}
expect:
  outcome: completed
  text: large first order
  steps: [{step: first-order, result: order.placed, at: 15s}, amount, large, large-order]
---
scenario: whoever orders nothing
events:
  - {at: 0s, event: customer.signed-up, data: {customerId: cleo, name: Cleo}}
expect:
  text: no order
  steps: [{step: first-order, result: timeout, at: 20s}, no-order]
"""

_SAMPLE = """\
{"id": "signed-up-ada", "name": "customer.signed-up", "data": {"customerId": "ada", "name": "Ada"}}
{"id": "signed-up-ben", "name": "customer.signed-up", "data": {"customerId": "ben", "name": "Ben"}}
{"id": "signed-up-cleo", "name": "customer.signed-up", "data": {"customerId": "cleo", "name": "Cleo"}}
{"id": "order-1", "name": "order.placed", "data": {"customerId": "ada", "total": 120}}
{"id": "order-2", "name": "order.placed", "data": {"customerId": "ben", "total": 15.5}}
"""

FILES = {
    "README.md": _README,
    ".gitignore": _GITIGNORE,
    "events.yaml": _EVENTS,
    "endpoints.yaml": _ENDPOINTS,
    "journeys/welcome.yaml": _JOURNEY,
    "tests/welcome.yaml": _SCENARIOS,
    "events.jsonl": _SAMPLE,
}
"""The starter project: text by path."""


class FilesInTheWayError(Exception):
    """Some of the files are there already; the message names them."""


def write_starter(folder: Path, *, python: bool = False) -> list[str]:
    """Write the starter project.

    Args:
        folder: Where to; made where it is missing. Other files in it are left alone.
        python: Write the journey as Python.

    Returns:
        The paths written, relative to the folder.

    Raises:
        FilesInTheWayError: A file is there already. Then nothing is written.
        OSError: The folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise FilesInTheWayError(f"{folder} is a file: name a folder")
    files = {".gitignore": _GITIGNORE + _PYTHON_IGNORE, **PYTHON_FILES} if python else FILES
    present = [path for path in files if (folder / path).exists()]
    if present:
        raise FilesInTheWayError(
            f"nothing was written, because {folder} already has {', '.join(present)}: name another folder"
        )
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    write_schema(folder)
    return list(files)
