"""`/v1/profiles`: the built-in profiles are written, read and erased."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from pydantic_core import to_json
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api.auth import requires
from sojourn.api.dependencies import context_of
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses
from sojourn.api.profiles import examples, models
from sojourn.api.profiles.bodies import (
    expected_version,
    key_of_path,
    read_attributes,
    read_batch,
    read_keys,
    refused,
)
from sojourn.contract.event_result import Violation
from sojourn.store import Store
from sojourn.store.profiles.profiles import Profile, Write
from sojourn.store.profiles.writes import WriteResult


class _KeyConvertor(Convertor[str]):
    """Takes the rest of a path, whatever it holds: a profile key may have slashes and line breaks."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("profile_key", _KeyConvertor())

router = APIRouter(tags=["profiles"])
# Services that send events keep profiles as well; reading customers' data needs more than that.
_WRITE = [Depends(requires("events", "operate"))]
_READ = [Depends(requires("read"))]
_ONE = "/v1/profiles/{key:profile_key}"
_ETAG = {
    "headers": {"ETag": {"description": "The version.", "schema": {"type": "string"}, "example": '"4"'}},
    "description": "The profile has these attributes now.",
}
_WRITES: dict[int | str, dict[str, Any]] = {
    200: _ETAG,
    201: {
        **_ETAG,
        "description": "The profile is new.",
        "model": models.WrittenOut,
        "content": {"application/json": {"examples": examples.CREATED}},
    },
    **openapi_responses(
        *kinds.GUARDED,
        *kinds.WITH_BODY,
        kinds.INVALID_REQUEST,
        kinds.INVALID_PROFILE,
        kinds.VERSION_CONFLICT,
    ),
}
_BATCHES = openapi_responses(*kinds.GUARDED, *kinds.WITH_BODY, kinds.INVALID_REQUEST, kinds.TOO_MANY_PROFILES)

Key = Annotated[
    str,
    Path(
        description="The profile key, percent-encoded: any text of up to 1,000 characters. Keys that HTTP clients "
        "take for steps in the path, `.` and `..`, are reached by batches.",
        examples=["cust-1"],
    ),
]


@router.put(
    "/v1/profiles",
    response_model=models.WriteResults,
    summary="Write profiles",
    dependencies=_WRITE,
    responses=_BATCHES,
    openapi_extra=examples.WRITE_MANY,
)
async def put_profiles(request: Request) -> Response:
    """Replaces all attributes of up to 1,000 profiles, or makes them. Each has its own result, in order.

    One that is wrong is `refused`, and the others are written.
    """
    return await _batch(request, "put")


@router.patch(
    "/v1/profiles",
    response_model=models.WriteResults,
    summary="Change profiles",
    dependencies=_WRITE,
    responses=_BATCHES,
    openapi_extra=examples.WRITE_MANY,
)
async def patch_profiles(request: Request) -> Response:
    """Changes some attributes of up to 1,000 profiles (RFC 7396), or makes them. As `PUT` else.

    Changes that others make at the same moment are not lost.
    """
    return await _batch(request, "patch")


@router.post(
    "/v1/profiles/read",
    response_model=models.ProfilesOut,
    summary="Read profiles",
    dependencies=_READ,
    responses=_BATCHES,
    openapi_extra=examples.READ_MANY,
)
async def read_profiles(request: Request) -> Response:
    """Returns up to 1,000 profiles by their keys."""
    keys = await read_keys(request, context_of(request).settings.max_batch)
    found = await _store(request).profiles.read(keys)
    missing = [key for key, profile in zip(keys, found, strict=True) if profile is None]
    return _json({"profiles": [_shown(profile) for profile in found if profile], "missing": missing})


@router.get(
    "/v1/profile-schema",
    response_model=models.SchemaOut,
    summary="Read the schema of profiles",
    dependencies=[Depends(requires("read", "events"))],
    responses=openapi_responses(*kinds.GUARDED),
)
async def read_profile_schema(request: Request) -> Response:
    """Returns what the published project says of profiles, against which writes are checked."""
    profile = (await _store(request).catalog()).profile or {}
    return _json({member: profile.get(member) for member in ("name", "description", "schema")})


@router.put(
    _ONE,
    response_model=models.WrittenOut,
    summary="Write a profile",
    dependencies=_WRITE,
    responses=_WRITES,
    openapi_extra=examples.PUT_ONE,
)
async def put_profile(request: Request, key: Key) -> Response:
    """Replaces all attributes of a profile, or makes it."""
    return await _one(request, key, "put")


@router.patch(
    _ONE,
    response_model=models.WrittenOut,
    summary="Change a profile",
    dependencies=_WRITE,
    responses=_WRITES,
    openapi_extra=examples.PATCH_ONE,
)
async def patch_profile(request: Request, key: Key) -> Response:
    """Changes some attributes of a profile (RFC 7396: null removes one, objects are merged), or makes it.

    Changes that others make at the same moment are not lost.
    """
    return await _one(request, key, "patch")


@router.get(
    _ONE,
    response_model=models.ProfileOut,
    summary="Read a profile",
    dependencies=_READ,
    responses={
        200: {**_ETAG, "description": "The profile."},
        **openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_PROFILE, kinds.INVALID_REQUEST),
    },
)
async def read_profile(request: Request, key: Key) -> Response:
    """Returns a profile. Journeys see one that is not there as an empty one."""
    key = key_of_path(request, key)
    (profile,) = await _store(request).profiles.read([key])
    if profile is None:
        raise ProblemError(kinds.UNKNOWN_PROFILE, f"No profile has the key {key[:200]}.")
    return _json(_shown(profile), version=profile.version)


@router.delete(
    _ONE,
    response_model=models.ErasedOut,
    summary="Erase a profile",
    dependencies=[Depends(requires("operate"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.INVALID_REQUEST, kinds.VERSION_CONFLICT),
    openapi_extra=examples.ERASE_ONE,
)
async def erase_profile(request: Request, key: Key) -> Response:
    """Erases a profile from the built-in store. Erasing one that is not there is no error.

    Running instances keep what they have read, and what they write makes the profile again.
    """
    key, expected = key_of_path(request, key), expected_version(request)
    profiles = _store(request).profiles
    erased, version = await profiles.erase_one(key, expected)
    if not erased and expected is not None:
        raise _conflict(version)
    return _json({"key": key, "erased": erased})


async def _one(request: Request, key: str, mode: Literal["put", "patch"]) -> Response:
    key, expected = key_of_path(request, key), expected_version(request)
    attributes = await read_attributes(request, patch=mode == "patch")
    (result,) = await getattr(_store(request).profiles, mode)([Write(key, attributes, expected)])
    if result.status == "conflict":
        raise _conflict(result.version)
    if result.status == "refused":
        raise refused([_in_item(violation) for violation in result.violations])
    return _json(_result(result), status=201 if result.status == "created" else 200, version=result.version)


async def _batch(request: Request, mode: Literal["put", "patch"]) -> Response:
    items = await read_batch(request, context_of(request).settings.max_batch)
    writes = [item for item in items if isinstance(item, Write)]
    results = iter(await getattr(_store(request).profiles, mode)(writes) if writes else ())
    answers = [_result(next(results)) if isinstance(item, Write) else item for item in items]
    return _json({"results": answers})


def _conflict(version: int | None) -> ProblemError:
    there = "There is no such profile" if version is None else f"The profile has version {version}"
    return ProblemError(
        kinds.VERSION_CONFLICT, f"{there}, and the request wants another one.", version=version
    )


def _result(result: WriteResult) -> dict[str, Any]:
    answer: dict[str, Any] = {"key": result.key, "status": result.status, "version": result.version}
    if result.violations:
        answer["violations"] = [_in_item(violation).as_dict() for violation in result.violations]
    return answer


def _in_item(violation: Any) -> Violation:
    # The store points into the attributes, the API into what was sent.
    path = violation.path if violation.path == "/key" else f"/attributes{violation.path}"
    return Violation(path, violation.message)


def _shown(profile: Profile) -> dict[str, Any]:
    return {
        "key": profile.key,
        "attributes": profile.attributes,
        "version": profile.version,
        "created_at": profile.created_at,
        "updated_at": profile.updated_at,
    }


def _store(request: Request) -> Store:
    return context_of(request).database()


def _json(value: Any, *, status: int = 200, version: int | None = None) -> Response:
    headers = None if version is None else {"ETag": f'"{version}"'}
    return Response(to_json(value), status_code=status, headers=headers, media_type="application/json")
