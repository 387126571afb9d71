"""The start of an instance: from a workflow's input to its `Instance`."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from sojourn.contract.profile_keys import key_text
from sojourn.workflows.compiled_check import parse_definition
from sojourn.workflows.engine import messages
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.messages import BadMessage, StartMessage


def parse_start(value: Any) -> StartMessage:
    """Return the start input of a journey's workflow.

    Raises:
        BadMessage: It is invalid; the text says why.
    """
    if not isinstance(value, dict):
        raise BadMessage("the input is a JSON object {definition, event, key}")
    definition = parse_definition(value.get("definition"))
    if not isinstance(value.get("key"), str) or not value["key"]:
        raise BadMessage("`key` must be the profile key, a text that is not empty")
    per = value.get("per")
    if per is not None and key_text(per) is None:
        raise BadMessage("`per` must be the instance's key, a text that is not empty or a number")
    return StartMessage(
        definition=definition,
        event=messages.parse_event(value.get("event")),
        key=value["key"],
        mode=str(value.get("mode", "live")),
        local_fetch=value.get("local_fetch", True) is not False,
        state=value.get("state"),
        clock=None if value.get("clock") is None else messages.parse_time(value["clock"], "clock"),
        per=per,
    )


def prepare(host: Any, start: tuple[Any, ...], *, code: str | None = None) -> None:
    """Give a workflow object its instance as `_instance`, or what is wrong with its input as `_problem`.

    Args:
        host: The object, of `Journey` or of an author's class.
        start: The arguments with which the workflow was started.
        code: The workflow type of a Python journey; None for a journey that is interpreted.
    """
    host._instance, host._problem = None, None
    try:
        message = parse_start(messages.only(start))
        if (wanted := message.definition.get("workflow")) != code:
            kind = "is interpreted" if wanted is None else f"is code, of the workflow type {wanted}"
            raise BadMessage(f"this journey {kind}, but it was started as {workflow.info().workflow_type}")
        host._instance = Instance(message)
    except BadMessage as problem:
        host._problem = problem
