"""Reading requests about profiles: keys, attributes, batches, versions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from sojourn.api.bodies import content_type, parse_json, wrong_content_type
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError
from sojourn.api.responses import JSON
from sojourn.contract.event_result import Violation
from sojourn.contract.incoming_event import kind_of
from sojourn.contract.profile_keys import key_text, unfit_key
from sojourn.store.profiles.profiles import THERE, Write

MERGE_PATCH = "application/merge-patch+json"
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def refused(violations: Sequence[Violation]) -> ProblemError:
    """Return the problem of attributes that cannot be kept."""
    what = "; ".join(f"{violation.path}: {violation.message}" for violation in violations)
    return ProblemError(
        kinds.INVALID_PROFILE,
        f"The profile cannot be kept like this: {what}.",
        violations=[violation.as_dict() for violation in violations],
    )


def key_of_path(request: Request, key: str) -> str:
    """Return the profile key that a path ends in.

    Raises:
        ProblemError: It is none.
    """
    try:
        # The server puts a sign in the place of what is no UTF-8, and another profile would be meant.
        unquote_to_bytes(request.scope.get("raw_path") or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise _unfit("key", "is not percent-encoded UTF-8") from None
    wrong = unfit_key(key)
    if wrong is not None:
        raise _unfit("key", wrong)
    return key


def expected_version(request: Request) -> int | None:
    """Return the version that a profile must have: None for any, 0 where it must not be there, or `THERE`.

    Raises:
        ProblemError: `If-Match` or `If-None-Match` is none that the API gave.
    """
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is not None and none_match is not None:
        raise _unfit("If-None-Match", "stands beside If-Match; send one of them")
    if none_match is not None:
        if none_match.strip() != "*":
            raise _unfit("If-None-Match", "is understood only as *: the profile must not be there")
        return 0
    if match is None:
        return None
    if match.strip() == "*":
        return THERE
    etag = _ETAG.fullmatch(match.strip())
    if etag is None:
        raise _unfit("If-Match", 'is no ETag of a profile; send it as it came, such as "3", or *')
    return int(etag[1])


async def read_attributes(request: Request, *, patch: bool) -> Any:
    """Return the attributes in the body of a write of one profile; the store judges them.

    Raises:
        ProblemError: The body is not of the form `{"attributes": {…}}`.
    """
    accepted = [JSON, MERGE_PATCH] if patch else [JSON]
    body = await _read(request, accepted, 'the attributes, {"attributes": {…}},')
    violations = _members(body, ("attributes",), 'write {"attributes": {"email": "…"}}')
    if violations:
        raise _misfit(violations)
    return body["attributes"]


async def read_batch(request: Request, limit: int) -> list[Write | dict[str, Any]]:
    """Return what each item of a batch is to write, or the answer that refuses it.

    Raises:
        ProblemError: The body is no list, or a longer one than allowed.
    """
    body = await _read(request, [JSON], "a list of profiles")
    if not isinstance(body, list):
        wanted = 'must be a list, such as [{"key": "cust-1", "attributes": {…}}]'
        raise _misfit([Violation("", f"{wanted}, and is {kind_of(body)}")])
    _check_count(len(body), limit)
    return [_item(item) for item in body]


async def read_keys(request: Request, limit: int) -> list[str]:
    """Return the profile keys in a body, each once.

    Raises:
        ProblemError: The body is not of the form `{"keys": […]}`, a key is none, or they are too many.
    """
    body = await _read(request, [JSON], 'the keys, {"keys": […]},')
    violations = _members(body, ("keys",), 'write {"keys": ["cust-1"]}')
    if not violations and not isinstance(body["keys"], list):
        violations = [Violation("/keys", f"must be a list, and is {kind_of(body['keys'])}")]
    if violations:
        raise _misfit(violations)
    _check_count(len(body["keys"]), limit)
    wrong = [
        Violation(f"/keys/{index}", why)
        for index, key in enumerate(body["keys"])
        if (why := unfit_key(key)) is not None
    ]
    if wrong:
        raise _misfit(wrong[:20])
    return list(dict.fromkeys(key_text(key) or "" for key in body["keys"]))


def _item(item: Any) -> Write | dict[str, Any]:
    violations = _members(item, ("key", "attributes"), 'write {"key": "cust-1", "attributes": {…}}')
    key = item.get("key") if isinstance(item, dict) else None
    if isinstance(item, dict) and "key" in item and (wrong := unfit_key(key)) is not None:
        violations.append(Violation("/key", wrong))
        key = None
    if not violations:
        return Write(key, item["attributes"])
    return {
        "key": key_text(key),
        "status": "refused",
        "version": None,
        "violations": [violation.as_dict() for violation in violations],
    }


def _members(value: Any, names: tuple[str, ...], example: str) -> list[Violation]:
    """Return what is wrong with an object that is to have these members and no others."""
    if not isinstance(value, dict):
        return [Violation("", f"must be an object, and is {kind_of(value)}; {example}")]
    found = [Violation(f"/{name}", f"is missing; {example}") for name in names if name not in value]
    for name in value:
        if name not in names:
            near = difflib.get_close_matches(name[:80], names, 1)
            hint = f"did you mean {near[0]}?" if near else example
            pointer = name[:80].replace("~", "~0").replace("/", "~1")
            found.append(Violation(f"/{pointer}", f"is not a field here; {hint}"))
    return found[:20]


async def _read(request: Request, accepted: list[str], expected: str) -> Any:
    media_type = content_type(request)
    if media_type not in accepted:
        raise wrong_content_type(media_type, accepted)
    return parse_json(await request.body(), expected)


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise ProblemError(
            kinds.TOO_MANY_PROFILES,
            f"The request names {count:,} profiles, and {limit:,} are allowed. Send several requests.",
            limit=limit,
            count=count,
        )


def _misfit(violations: Sequence[Violation]) -> ProblemError:
    what = "; ".join(f"{violation.path or 'the body'}: {violation.message}" for violation in violations)
    return ProblemError(
        kinds.INVALID_REQUEST,
        f"The request does not fit: {what}.",
        violations=[violation.as_dict() for violation in violations],
    )


def _unfit(name: str, message: str) -> ProblemError:
    violation = {"path": name, "message": message}
    return ProblemError(
        kinds.INVALID_REQUEST, f"The request does not fit: {name} {message}.", violations=[violation]
    )
