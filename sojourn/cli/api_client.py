"""Talking to a running API over HTTP, with errors that say what to start or to set."""

from __future__ import annotations

import contextlib
import json
import os
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sojourn.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8080"
UNAVAILABLE = "/problems/unavailable"
URL_VARIABLE = "SOJOURN_API"
KEY_VARIABLE = "SOJOURN_API_KEY"  # the name of a variable, not a key
DEV_FILE = Path(".sojourn/dev.json")
"""Where `sojourn dev` writes, inside the project, how to reach it."""

TIMEOUT_SECONDS = 60.0


class ApiRefusedError(CliError):
    """The API answered with an error.

    Attributes:
        status: The HTTP status.
        problem: The problem details (RFC 9457), or an empty dict where the answer was none.
        retry_after: Seconds after which the API says to try again, if it does.
    """

    def __init__(
        self, message: str, code: ExitCode, *, status: int, problem: dict[str, Any], retry_after: float | None
    ) -> None:
        """Make an error from an answer; see the attributes."""
        super().__init__(message, code)
        self.status = status
        self.problem = problem
        self.retry_after = retry_after


class ApiUnreachableError(CliError):
    """Nothing answers, or not in time."""

    def __init__(self, message: str) -> None:
        """Make an error with the exit status for it."""
        super().__init__(message, ExitCode.UNREACHABLE)


def api_url(option: str | None, project: Path | None = None) -> str:
    """Return the base URL of the API to talk to, without a slash at its end.

    Args:
        option: What `--api` says; it wins.
        project: The project whose running `sojourn dev` is meant; the current folder or one above it if None.

    Raises:
        CliError: The URL is none.
    """
    url = option or os.environ.get(URL_VARIABLE) or of_dev("api", project) or DEFAULT_URL
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CliError(f"{url!r} is no URL of an API: write it like {DEFAULT_URL}", ExitCode.USAGE)
    return url.rstrip("/")


def of_dev(what: str, project: Path | None = None) -> str | None:
    """Return an address that a running `sojourn dev` left in the project, if there is one.

    Args:
        what: `api`, `ui` or `temporal`.
        project: The project; the current folder or one above it if None.
    """
    start = (project or Path.cwd()).absolute()
    for folder in [start] if project else [start, *start.parents]:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            state = json.loads((folder / DEV_FILE).read_text("utf-8"))
            # Left over from one that was killed: the process is gone.
            os.kill(int(state["pid"]), 0)
            return str(state[what])
    return None


class ApiClient:
    """A connection to the API, used as a context manager."""

    def __init__(self, url: str, key: str | None = None) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            url: Base URL.
            key: API key; `SOJOURN_API_KEY` if None.
        """
        self.url = url
        self._key = key or os.environ.get(KEY_VARIABLE)
        self._http: httpx.Client | None = None

    def __enter__(self) -> ApiClient:
        """Open it."""
        import httpx

        headers = {"Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=5.0),
            # A proxy of the environment is for the world outside, not for this machine.
            trust_env=not _is_loopback(self.url),
            # Loading the machine's certificates takes time that plain HTTP need not spend.
            verify=self.url.startswith("https"),
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        if self._http:
            self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """Read something. Parameters that are None are left out.

        Raises:
            ApiUnreachableError: Nothing answers.
            ApiRefusedError: The answer is an error.
        """
        return self._request("GET", path, params=_given(parameters))

    def post(self, path: str, body: Any, **parameters: Any) -> Any:
        """Send something, as JSON. Parameters that are None are left out. Raises as `get` does."""
        return self._request("POST", path, json=body, params=_given(parameters))

    def put(self, path: str, body: Any) -> Any:
        """Set something, as JSON. Raises as `get` does."""
        return self._request("PUT", path, json=body)

    def delete(self, path: str, **parameters: Any) -> Any:
        """Take something away. Raises as `get` does."""
        return self._request("DELETE", path, params=_given(parameters))

    def post_text(self, path: str, body: bytes, *, method: str = "POST") -> Any:
        """Send JSON that is text already. Raises as `get` does."""
        return self._request(method, path, content=body, headers={"Content-Type": "application/json"})

    def _request(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        assert self._http is not None, "the client is used inside `with`"
        try:
            answer = self._http.request(method, path, **options)
        except httpx.ConnectError as error:
            raise ApiUnreachableError(
                f"nothing answers at {self.url}: start it with `sojourn dev` (a project on this machine) or "
                f"`sojourn api`, or say where it runs with --api or {URL_VARIABLE}"
            ) from error
        except httpx.TimeoutException as error:
            raise ApiUnreachableError(f"the API at {self.url} did not answer in time") from error
        except httpx.HTTPError as error:
            raise ApiUnreachableError(f"the connection to {self.url} broke: {error}") from error
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Any:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.is_success and body is not None:
            return body
        problem = body if isinstance(body, dict) else {}
        raise ApiRefusedError(
            self._explain(answer, problem),
            ExitCode.UNREACHABLE if answer.status_code >= 500 else ExitCode.PROBLEMS,
            status=answer.status_code,
            problem=problem,
            retry_after=_seconds(answer.headers.get("Retry-After")),
        )

    def _explain(self, answer: httpx.Response, problem: dict[str, Any]) -> str:
        detail = str(problem.get("detail") or problem.get("title") or "")
        status = answer.status_code
        if not problem:
            return (
                f"{self.url} answered {status} {answer.reason_phrase}, not as Sojourn's API does: "
                f"is the URL right? Set it with --api or {URL_VARIABLE}."
            )
        if status == 401:
            reason = detail or "the API wants a key"
            return f"{reason} Give one with --key or {KEY_VARIABLE}; `sojourn keys create` makes one."
        if problem.get("type") == UNAVAILABLE:
            return self._what_to_start(detail)
        return detail or f"the API answered {status} {answer.reason_phrase}"

    def _what_to_start(self, detail: str) -> str:
        """Say it to a person at a terminal; the API's own words are for programs."""
        what = detail.partition(".")[0]
        start = (
            "start it (`sojourn dev` brings its own; `sojourn api` looks where TEMPORAL_ADDRESS says)"
            if what.startswith("Temporal")
            else "start it (`sojourn api` looks where SOJOURN_DATABASE says)"
        )
        what = what.replace("The database", "the database", 1)
        return f"the API at {self.url} answers, but {what}: {start}, then try again"


def _given(parameters: dict[str, Any]) -> dict[str, Any] | None:
    # Never an empty mapping: httpx would let it take the place of a query that stands in the path.
    return {name: value for name, value in parameters.items() if value is not None} or None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(header: str | None) -> float | None:
    """Read `Retry-After`, where it is a number of seconds."""
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
