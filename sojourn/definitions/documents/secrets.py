"""Finds secrets that somebody wrote into a definition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path

_HEADERS = re.compile(
    r"(?i)(proxy-)?authorization|cookie|(x-)?(api|auth|access|subscription|functions)[-_]?(key|token|secret)"
    r"|x-.*(token|secret|password|api-?key)|.*-(api-?key|secret|password|auth-token|access-token)"
)
_NAMES = re.compile(
    r"(?i)(.*[-_.])?(api[-_]?key|app[-_]?key|appid|access[-_]?key|access[-_]?token|auth[-_]?token|api[-_]?token"
    r"|client[-_]?secret|secret|secret[-_]?key|password|passwd|pwd|private[-_]?key|signature|sig)"
)
_KNOWN = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:sk|rk|pk)_live_[0-9A-Za-z]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{20,}|\bgithub_pat_[0-9A-Za-z_]{20,}|\bglpat-[0-9A-Za-z_-]{16,}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,}"
    r"|\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"
    r"|\bAIza[0-9A-Za-z_-]{35}"
    r"|\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{20,}"
    r"|\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\."
)
_HINT = "Keep it in an environment variable where Sojourn runs, and name that here: {secret: SOME_NAME}."
_BODY_HINT = "Send it with `auth`, or as {secret: SOME_NAME} in `headers`, `query` or `form`."


def check_leaks(value: Any, source: Source) -> None:
    """Report every text of a document that has the form of a well-known kind of secret.

    Args:
        value: The whole document.
        source: The document; problems are reported there, without the text itself.
    """
    for path, text in _texts(value):
        if _KNOWN.search(text):
            source.report(Code.SECRET, path, "This looks like a secret written into the file", _HINT)


def _texts(value: Any) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            waiting += [((*path, key), part) for key, part in item.items()]
        elif isinstance(item, list):
            waiting += [((*path, index), part) for index, part in enumerate(item)]


def check_url(url: str, source: Source, path: Path) -> None:
    """Report credentials in a URL: before the host, or in its query."""
    try:
        parts = urlsplit(url)
        user = "@" in parts.netloc
        query = parse_qsl(parts.query, keep_blank_values=False)
    except ValueError:
        return
    if user:
        source.report(
            Code.SECRET,
            path,
            "The URL holds a user name or a password",
            "Take it out, and write auth: {type: basic, username: ..., password: {secret: NAME}}.",
        )
    for name, text in query:
        if _NAMES.fullmatch(name) and not text.startswith("{"):
            source.report(
                Code.SECRET,
                path,
                f"The query parameter `{name}` of the URL looks like a secret",
                f"Take it out, and write auth: {{type: api_key, query: {name}, value: {{secret: NAME}}}}.",
            )


def check_headers(headers: Any, source: Source, path: Path) -> None:
    """Report headers that carry credentials as a text."""
    if not isinstance(headers, dict):
        return
    for name, value in headers.items():
        if _HEADERS.fullmatch(name) and isinstance(value, str):
            source.report(
                Code.SECRET,
                (*path, name),
                f"The header `{name[:60]}` carries credentials that are written into the file",
                f"Use auth: {{type: api_key, header: {name[:60]}, value: {{secret: NAME}}}}, or bearer for a token.",
            )


def check_fields(fields: Any, source: Source, path: Path, *, references: bool) -> None:
    """Report fields of a body or a query whose names say that they hold a secret, and whose values are given.

    Args:
        fields: The body, the query or the form.
        source: The document.
        path: Where the fields stand.
        references: `{secret: NAME}` may stand there as a value.
    """
    hint = _HINT if references else _BODY_HINT
    waiting: list[tuple[Path, Any]] = [(path, fields)]
    while waiting:
        where, item = waiting.pop()
        if isinstance(item, list):
            waiting += [((*where, index), part) for index, part in enumerate(item)]
        if not isinstance(item, dict):
            continue
        if references and list(item) == ["secret"]:
            continue
        for name, value in item.items():
            literal = isinstance(value, str | int) and not isinstance(value, bool) and "${" not in str(value)
            if literal and value != "" and _NAMES.fullmatch(name):
                source.report(Code.SECRET, (*where, name), f"`{name[:60]}` looks like a secret", hint)
            waiting.append(((*where, name), value))
