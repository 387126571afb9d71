"""Values that several types of authentication have."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from sojourn.definitions.base import Secret, SecretRef


def _text_or_secret(value: Any) -> str:
    return "kind:secret" if isinstance(value, dict | SecretRef) else "kind:text"


TextOrSecret = Annotated[
    Annotated[str, Tag("kind:text")] | Annotated[Secret, Tag("kind:secret")], Discriminator(_text_or_secret)
]
"""A text that may stand in the file, or `{secret: NAME}`."""
