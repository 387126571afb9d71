"""Checks of what an HTTP request is made of: URLs and headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sojourn.definitions.codes import Code
from sojourn.definitions.documents import secrets
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_TEXT = re.compile(r"[\t\x20-\x7e]*")
_EXPRESSIONS = re.compile(r"\$\{.*\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_OURS = {
    "host": "the URL says it",
    "content-length": "it follows from the body",
    "transfer-encoding": "it follows from the body",
    "connection": "Sojourn keeps connections",
    "idempotency-key": "Sojourn sets it, the same for every attempt of a call",
}


def check_url(url: str, source: Source, path: Path, *, parameters: bool = False) -> bool:
    """Report what is wrong with a URL.

    Args:
        url: The URL.
        source: Its document.
        path: Where it stands there.
        parameters: Whether names of parameters, such as `{name}`, may be in it.

    Returns:
        Whether it can be read as a URL.
    """
    secrets.check_url(url, source, path)
    if "${" in url:
        hint = "Write {name} for a parameter: it is percent-encoded."
        source.report(Code.URL, path, "A URL has no ${...} in it", hint)
        return False
    fixed = _PLACEHOLDER.sub("x", url)
    try:
        parts = urlsplit(fixed)
        host, _ = parts.hostname, parts.port
    except ValueError:
        source.report(Code.URL, path, "This is no URL", "Write it like https://api.example.com/items/{id}.")
        return False
    if parts.scheme not in ("http", "https") or not host:
        hint = "Write it whole, like https://api.example.com/items/{id}."
        source.report(Code.URL, path, "The URL does not begin with https:// or http:// and a host", hint)
    elif re.search(r"[\s\x00-\x1f]|[{}]", fixed):
        message = "The URL holds a space or a brace that does not belong to {name}"
        source.report(Code.URL, path, message, "Write %20 for a space.")
    elif parts.fragment:
        source.report(Code.URL, path, "A # part of a URL is never sent", "Leave it out.")
    elif "{" in re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]:
        hint = "Write the host out; parameters may stand in the path and in the query."
        source.report(Code.URL, path, "The host of a URL cannot come from a parameter", hint)
    if not parameters and "{" in url:
        source.report(Code.URL, path, "This URL has no parameters", "Write it out, without {name}.")
    return True


def check_headers(headers: Mapping[str, Any], source: Source, path: Path) -> None:
    """Report headers that no request can carry, that Sojourn sets itself, or that carry credentials."""
    secrets.check_headers(headers, source, path)
    seen: set[str] = set()
    for name, value in headers.items():
        lowered = name.lower()
        if not _TOKEN.fullmatch(name):
            message, hint = f"`{name[:60]}` cannot be the name of a header", "Use letters, digits and '-'."
            source.report(Code.HEADER, (*path, name), message, hint, key=True)
        elif lowered in _OURS:
            message = f"The header `{name}` cannot be set: {_OURS[lowered]}"
            source.report(Code.HEADER, (*path, name), message, "Leave it out.", key=True)
        elif lowered in seen:
            message = f"The header `{name}` stands here twice; upper and lower case are the same"
            source.report(Code.HEADER, (*path, name), message, "Keep one of them.", key=True)
        if isinstance(value, str) and not _HEADER_TEXT.fullmatch(_EXPRESSIONS.sub("", value)):
            message = "The value of a header must be one line of ASCII"
            source.report(Code.HEADER, (*path, name), message, "Leave out line breaks and other letters.")
        seen.add(lowered)
