"""Secrets: named in definitions, kept by the deployment, looked up when a call is made.

A name is resolved only if it is on the allow-list: whoever may publish a journey could otherwise send any
variable of the worker's environment to a server of their choice.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, quote_plus

from sojourn.activities.errors import CallError, refused

MASK = "***"
"""What stands in the place of a secret wherever one would be shown."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_MIN_MASKED = 4
"""Shorter values are not masked: they would tear ordinary text apart, and protect nothing."""


class SecretMissingError(Exception):
    """A secret cannot be had. The message names it and says what to do; it never holds a value."""

    def call_error(self) -> CallError:
        """Return the error of the call that needed it: not retried, and for an operator to look at."""
        return refused(str(self), expected=False)


class SecretStore(Protocol):
    """Where the values of secrets come from."""

    def get(self, name: str) -> str:
        """Return the value of a secret.

        Raises:
            SecretMissingError: It is not allowed, or not there.
        """
        ...


class Secrets:
    """Secrets from the environment, from a folder of files, or from a `.env` file, in this order.

    Values are read at every use, so that a rotated one is used from the next call on.

    Args:
        allowed: The names that definitions may use.
        environment: Where variables are looked up; the process's own if left out.
        folder: A folder with one file per secret, as Kubernetes and Docker mount them.
        dotenv: A file of `NAME=value` lines, for development.
    """

    def __init__(
        self,
        allowed: Iterable[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        dotenv: Path | None = None,
    ) -> None:
        self._allowed = frozenset(name.strip() for name in allowed if name.strip())
        self._environment = os.environ if environment is None else environment
        self._folder = folder
        self._dotenv = dotenv

    def get(self, name: str) -> str:
        """Return the value of a secret.

        Raises:
            SecretMissingError: It is not on the allow-list, is nowhere to be found, or is empty.
        """
        if not _NAME.fullmatch(name):
            raise SecretMissingError(
                f"{name!r} cannot be the name of a secret: letters, digits, '_', '.' and '-'"
            )
        if name not in self._allowed:
            # `sojourn dev` gives a `.env`, and allows what stands in it.
            rather = (
                f", or under `sojourn dev` a line {name}=... to {self._dotenv.name}" if self._dotenv else ""
            )
            raise SecretMissingError(
                f"the secret {name} may not be used here: add its name to SOJOURN_SECRETS{rather}"
            )
        value = self._environment.get(name) or self._from_folder(name) or self._from_dotenv(name)
        if not value:
            places = ["the environment variable " + name]
            if self._folder:
                places.append(f"a file {name} in the folder of secrets")
            if self._dotenv:
                places.append(f"a line {name}=... in {self._dotenv.name}")
            raise SecretMissingError(f"the secret {name} is not set: set " + " or ".join(places))
        return value

    def _from_folder(self, name: str) -> str | None:
        if self._folder is None:
            return None
        try:
            # Editors and `echo` end files with a line break that is no part of the secret.
            return (self._folder / name).read_text("utf-8").rstrip("\r\n")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissingError(
                f"the file of the secret {name} cannot be read ({type(error).__name__})"
            ) from None

    def _from_dotenv(self, name: str) -> str | None:
        if self._dotenv is None or not self._dotenv.is_file():
            return None
        from dotenv import dotenv_values

        return dotenv_values(self._dotenv, interpolate=False).get(name)


class MaskedSecrets:
    """Secrets for showing a request: each is there, and each is `***`."""

    def get(self, name: str) -> str:
        """Return the mask."""
        return MASK


class Mask:
    """Removes the values used in one call from everything that leaves it."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> str:
        """Remember a value that must not be shown, and return it."""
        if len(value) >= _MIN_MASKED and value != MASK:
            self._values |= _forms(value)
            self._pattern = None
        return value

    def text(self, text: str) -> str:
        """Return a text without the values, in whatever form they stand in it."""
        if not self._values:
            return text
        if self._pattern is None:
            # Longest first: one value may be part of another.
            ordered = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, ordered)))
        return self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """Return a JSON value without the values in any of its texts, names of fields included."""
        if not self._values:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.value(item) for name, item in value.items()}
        return value


_ESCAPE = re.compile("%[0-9A-F]{2}")
_MIN_BASE64 = 8
"""Shorter parts of base64 are in too much else."""


def _forms(value: str) -> set[str]:
    """Return a value as it is, and as servers repeat it: in URLs, forms, JSON that is quoted, and base64."""
    plain = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    plain |= {_ESCAPE.sub(lambda match: match[0].lower(), text) for text in plain}
    quoted = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    quoted |= {json.dumps(text)[1:-1] for text in quoted} | {text.replace("/", "\\/") for text in quoted}
    return plain | quoted | _base64_forms(value.encode("utf-8", "surrogatepass"))


def _base64_forms(data: bytes) -> set[str]:
    """Return what of a value is in the base64 of any text that holds it, wherever it stands there."""
    forms = set()
    for before in range(3):
        # Characters that other bytes than the value's have a part in are left out.
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(before) + data).decode()[first:last]
            if len(text) >= _MIN_BASE64:
                forms.add(text)
    return forms


class CallSecrets:
    """The secrets of one call: looked up in a store, and masked in whatever the call reports."""

    def __init__(self, store: SecretStore) -> None:
        self._store = store
        self.mask = Mask()

    def get(self, name: str) -> str:
        """Return a secret's value and mask it from now on.

        Raises:
            CallError: It cannot be had.
        """
        try:
            value = self._store.get(name)
        except SecretMissingError as missing:
            raise missing.call_error() from None
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise refused(
                f"the secret {name} holds a control character, such as a line break", expected=False
            )
        return self.mask.add(value)
