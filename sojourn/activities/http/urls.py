"""URLs: how they are written for the wire, and where a redirect may lead."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from yarl import URL

from sojourn.activities.errors import INVALID_RESPONSE, CallError, refused


def parse_url(text: str) -> URL:
    """Return a URL, its percent-encoding untouched.

    Raises:
        CallError: It is none that can be called.
    """
    try:
        url = URL(ascii_url(text), encoded=True)
        usable = url.scheme in {"http", "https"} and bool(url.host) and url.port is not None
    except ValueError:
        usable = False
    if not usable or url.user is not None:
        raise refused("the URL is none that can be called")
    return url


def ascii_url(text: str) -> str:
    """Return a URL that people wrote, with host and path as they are sent; what is encoded already stays.

    Raises:
        ValueError: It is no URL.
    """
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    parts = urlsplit(text)
    origin = URL.build(scheme=parts.scheme, host=parts.hostname or "", port=parts.port)
    if parts.username is not None or not origin.raw_host:
        raise ValueError("no host, or a user")
    path, query = (quote(part, safe="/?%:@!$&'()*+,;=~[]") for part in (parts.path, parts.query))
    port = "" if parts.port is None else f":{parts.port}"
    return f"{origin.scheme}://{origin.host_subcomponent}{port}{path}{'?' + query if query else ''}"


def redirected(here: URL, location: str, status: int) -> URL:
    """Return where a redirect leads.

    Raises:
        CallError: To another host or port, or from https to http, where requests with their credentials do not go;
            or to what is no URL.
    """
    try:
        there = here.join(URL(location))
        origin = there.origin()
    except ValueError:
        message = "the answer redirects to something that is no URL to call"
        raise CallError(INVALID_RESPONSE, message, status=status) from None
    upgrade = (here.scheme, here.port, there.scheme, there.port) == ("http", 80, "https", 443)
    if origin != here.origin() and not (upgrade and here.host == there.host):
        raise refused(
            "the answer redirects to another host, port or scheme, where calls to this endpoint do not go"
        )
    return there.with_user(None)
