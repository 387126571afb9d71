"""Certificates of a private authority, made for a test."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, name: str, names: str) -> Path:
    """Make a certificate of a private authority that holds for the names; return its file, with the key in it."""
    run = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    run += ["-subj", f"/CN={name}", "-addext", f"subjectAltName={names}"]
    run += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    try:
        subprocess.run(run, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no `openssl` here to make certificates with")
    return folder / f"{name}.pem"


def serving(pem: Path, *protocols: str) -> ssl.SSLContext:
    """Serve with a certificate made here, and choose one of these protocols where a client offers it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, pem.with_suffix(".key"))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context
