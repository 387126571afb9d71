"""A codec that encrypts, as hosts have one: AES-GCM with a key that only the tests know."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

KEY = bytes(range(32))


class Encrypting(PayloadCodec):
    """Encrypts whole payloads."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt."""
        return [
            Payload(
                metadata={"encoding": b"binary/encrypted"}, data=self._encrypted(payload.SerializeToString())
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what was encrypted; leave the rest."""
        return [
            Payload.FromString(AESGCM(KEY).decrypt(payload.data[:12], payload.data[12:], None))
            if payload.metadata.get("encoding") == b"binary/encrypted"
            else payload
            for payload in payloads
        ]

    def _encrypted(self, data: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + AESGCM(KEY).encrypt(nonce, data, None)


converter = DataConverter(
    payload_codec=Encrypting(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes
)
