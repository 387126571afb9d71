"""The base of all types of authentication."""

from __future__ import annotations

from collections.abc import Iterable

from sojourn.definitions.base import Model
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path


class AuthScheme(Model):
    """A way to prove to an endpoint who is calling; its `type` says which."""

    type: str

    def check(self, source: Source, path: Path) -> None:
        """Report what is wrong with the credentials, apart from their shape.

        Args:
            source: The endpoint's document.
            path: The place of `auth` in it.
        """


def check_one(model: Model, names: Iterable[str], source: Source, path: Path) -> None:
    """Report that not exactly one of several keys is given.

    Args:
        model: The part of the document that has the keys.
        names: The keys.
        source: The document.
        path: The place of the part in it.
    """
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        shown = " or ".join(f"`{name}`" for name in names)
        message = f"This needs exactly one of {shown}" + (f", and has {len(given)}" if given else "")
        hint = f"Keep one of {shown}." if given else f"Add {shown}."
        source.report(Code.ONE_OF, path, message, hint, key=True)
