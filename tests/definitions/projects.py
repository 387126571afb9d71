"""A small project that has nothing wrong with it, for tests to change."""

from __future__ import annotations

import textwrap

from sojourn.definitions import Problem, Project, load_texts

BASE = textwrap.dedent("""\
    event: cart.updated
    key: event.customerId
    when: size(event.items) > 0
    schema:
      type: object
      required: [customerId, cartId, items]
      properties:
        customerId: {type: string}
        cartId: {type: string}
        total: {type: number}
        placedAt: {type: string, format: date-time}
        items: {type: array, items: {type: object}}
    ---
    event: order.placed
    key: event.customerId
    schema:
      type: object
      properties: {customerId: {type: string}, cartId: {type: string}, total: {type: number}}
    ---
    event: profile.unsubscribed
    key: event.customerId
    ---
    source: crm.customer
    url: https://crm.example.com/customers/{id}
    parameters: {id: {type: string}}
    auth: {type: bearer, token: {secret: CRM_TOKEN}}
    response: {type: object, properties: {email: {type: string}, optIn: {type: boolean}}}
    ---
    action: email.send
    url: https://mail.example.com/v1/messages
    parameters:
      to: {type: string}
      template: {type: string, enum: [cart, welcome]}
      data: {type: object, optional: true}
    body: {to: "${to}", template: "${template}", data: "${data}"}
    """)
"""Events, a source and an action, in `base.yaml`."""


def steps(text: str, head: str = "", name: str = "j") -> str:
    """Return a journey whose steps begin on line 4 (and later by the lines of `head`)."""
    body = textwrap.indent(textwrap.dedent(text).strip("\n"), "  ")
    head = textwrap.dedent(head).strip("\n")
    return (
        f"journey: {name}\nentry: {{event: cart.updated}}\n{head + chr(10) if head else ''}steps:\n{body}\n"
    )


def project(journey: str = "", base: str = BASE, **more: str) -> Project:
    """Return a project of `base.yaml`, `j.yaml` and further files (`a__yaml` stands for `a.yaml`)."""
    files = {"base.yaml": base, "j.yaml": journey, **{k.replace("__", "."): v for k, v in more.items()}}
    return load_texts({name: text for name, text in files.items() if text})


def errors(journey: str = "", base: str = BASE, **more: str) -> list[Problem]:
    """Return the errors of such a project."""
    return project(journey, base, **more).errors


def brief(problems: list[Problem]) -> list[str]:
    """Return code, place and field of each problem: `E303 j.yaml:5:9 steps.a.next`."""
    return [f"{p.code} {p.file}:{p.line}:{p.column} {p.field}".rstrip() for p in problems]
