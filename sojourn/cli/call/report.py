"""Showing a test call: what was sent, what came back, and what a journey would make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sojourn.activities import CallError
from sojourn.activities.http.wire import HttpRequest
from sojourn.cli.call.trial import Trial
from sojourn.cli.output import ExitCode, say
from sojourn.definitions import EndpointDefinition

MAX_LINES = 60
MAX_TEXT = 6000
"""Most lines and characters of a body that a person is shown; `--json` has all of it."""

_UNREACHABLE = frozenset({"network", "timed_out"})
_RETRIED = "A journey makes up to three more attempts within its window."

_CORRECT = "Correct `response`, or what the other side sends."
_REDIRECTS = "Redirects to another host are not followed: write the URL that it leads to."

_ADVICE = {
    "http_400": "The other side does not take what was sent: compare the request above with its documentation.",
    "http_404": "The other side knows nothing at this URL, or not this parameter: check `url`.",
    "http_405": "The other side does not take this method there: check `method` and `url`.",
    "http_408": _RETRIED,
    "http_409": "The other side says that this contradicts what it has; another Idempotency-Key may be the answer.",
    "http_422": "The other side does not take what was sent: compare the request above with its documentation.",
    "network": "Is the host right, is it up, and can it be reached from here? " + _RETRIED,
    "timed_out": "A journey gives a call its `call_timeout`, at most 30 s, with all its attempts.",
}


def refused(error: CallError) -> Trial:
    """Return the trial of a call that cannot even be put together."""
    return Trial(
        error={"code": error.code, "status": error.status, "message": error.message, "body": error.body}
    )


def exit_code(trial: Trial | None) -> ExitCode:
    """Return the exit status for a call."""
    if trial is None or trial.error is None:
        return ExitCode.OK
    return ExitCode.UNREACHABLE if trial.error["code"] in _UNREACHABLE else ExitCode.PROBLEMS


def advice(definition: EndpointDefinition, error: Mapping[str, Any]) -> str:
    """Return what somebody can do about an error."""
    code, message = error["code"], error["message"]
    if code in {"http_401", "http_403"}:
        names = sorted(definition.secret_names())
        what = f"the secret{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else "`auth`"
        return f"The other side does not accept who is calling: check {what}."
    if code == "refused" and "SOJOURN_ALLOW_HOSTS" in message:
        return (
            "To allow it, set SOJOURN_ALLOW_HOSTS for this command, and for the workers of a deployment. This machine "
            "itself is allowed here."
        )
    if code == "refused" and "secret" in message:
        return "`sojourn call` reads variables of the environment, and .env in the project's folder."
    effect = definition.kind == "action"
    if code == "invalid_response":
        return ("The effect may have happened. " if effect else "") + _CORRECT
    if code == "http_429":
        limits = "a `throttle` or a `cap`" if effect else "a `cap`"
        return f"The other side asks for fewer calls: set {limits}. {_RETRIED}"
    if code == "refused" and "redirects" in message:
        return _REDIRECTS
    if code.startswith("http_5"):
        return f"The other side failed. {_RETRIED}"
    if code.startswith("http_3"):
        return _REDIRECTS
    return _ADVICE.get(code, "")


def as_json(
    definition: EndpointDefinition, shown: HttpRequest | None, given: Mapping[str, Any], trial: Trial | None
) -> dict[str, Any]:
    """Return everything of a test call, for programs."""
    error = trial.error if trial else None
    return {
        "endpoint": definition.id,
        "sent": trial is not None and (trial.requests > 0 or definition.python is not None),
        "parameters": dict(given),
        "request": None if shown is None else _request(shown),
        "response": trial.response if trial else None,
        "seconds": round(trial.seconds, 6) if trial else None,
        "result": trial.result if trial else None,
        "error": error,
        "advice": advice(definition, error) or None if error else None,
    }


def show_request(definition: EndpointDefinition, shown: HttpRequest | None, given: Mapping[str, Any]) -> None:
    """Show a request to a person."""
    if shown is None:
        say(f"{definition.id}" + (f"   {definition.python}" if definition.python else ""))
        if definition.python:
            say(_bounded(_pretty(dict(given)), "  "))
        return
    request = _request(shown)
    say(f"{request['method']} {request['url']}")
    for name, value in request["headers"]:
        say(f"  {name}: {_printable(value)}")
    if request["body"] is not None:
        say("")
        say(_bounded(_text(request["body"]), "  "))
    say("")


def show(definition: EndpointDefinition, trial: Trial) -> None:
    """Show a person what came of a test call."""
    if trial.response is not None:
        more = "" if trial.requests == 1 else f", {trial.requests} requests with those for a token"
        say(f"HTTP {trial.response['status']} after {trial.seconds:.3f} s{more}")
        for name, value in trial.response["headers"].items():
            say(f"  {name}: {_printable(value)}")
        body = trial.response["body"] if trial.response["text"] is None else trial.response["text"]
        if body is not None:
            say("")
            say(_bounded(_text(body), "  "))
        say("")
    elif trial.error is not None and trial.requests:
        # A redirect elsewhere is an answer, which is not followed.
        what = "Given up" if trial.error["code"] == "refused" else "No answer"
        say(f"{what} after {trial.seconds:.3f} s")
        say("")
    elif trial.error is None:
        say(f"Done after {trial.seconds:.3f} s")
        say("")
    if trial.error is None:
        say("steps.<id> would be:")
        say(_bounded(_pretty(trial.result), "  "))
        return
    say("The call failed. journey.last_error would be:")
    say(_bounded(_pretty({"step": "<id>", **trial.error}), "  "))
    hint = advice(definition, trial.error)
    if hint:
        say(hint)


def _request(shown: HttpRequest) -> dict[str, Any]:
    body: Any = None
    if shown.body is not None:
        text = shown.body.decode("utf-8", "replace")
        try:
            body = json.loads(text)
        except ValueError:
            body = text.replace("%2A%2A%2A", "***")
    return {
        "method": shown.method,
        "url": shown.url.replace("%2A%2A%2A", "***"),
        "headers": [list(pair) for pair in shown.headers],
        "body": body,
    }


def _text(body: Any) -> str:
    return body if isinstance(body, str) else _pretty(body)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _bounded(text: str, indent: str) -> str:
    """Return a text as it is safe and useful on a terminal: indented, and not longer than one reads."""
    lines = _printable(text[:MAX_TEXT]).split("\n")
    cut = lines[:MAX_LINES]
    if len(lines) > MAX_LINES or len(text) > MAX_TEXT:
        cut.append(f"... ({len(text):,} characters in all; --json shows them)")
    return "\n".join(indent + line for line in cut)


def _printable(text: str) -> str:
    """Return a text without what could steer a terminal: the other side wrote it."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else " " if letter == "\t" else "�"
        for letter in text
    )
