from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from sojourn.activities.auth.secrets import MASK, CallSecrets, Mask, SecretMissingError, Secrets
from sojourn.activities.errors import CallError


def test_only_allowed_names_are_looked_up() -> None:
    """A variable that is set but not on the allow-list stays unknown, and the error says how to allow it."""
    secrets = Secrets(["CRM_TOKEN"], environment={"CRM_TOKEN": "a", "AWS_SECRET": "b"})
    assert secrets.get("CRM_TOKEN") == "a"
    with pytest.raises(SecretMissingError, match=r"AWS_SECRET.*SOJOURN_SECRETS"):
        secrets.get("AWS_SECRET")


def test_the_place_for_secrets_of_development_is_told(tmp_path: Path) -> None:
    """Who runs `sojourn dev` sets no variables of a deployment: it is a line in `.env`."""
    with pytest.raises(SecretMissingError, match=r"under `sojourn dev` a line MAIL_KEY=\.\.\. to \.env"):
        Secrets([], environment={"MAIL_KEY": "x"}, dotenv=tmp_path / ".env").get("MAIL_KEY")


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    """The error names the secret and each place where it could be set."""
    secrets = Secrets([" CRM_TOKEN "], environment={}, folder=tmp_path, dotenv=tmp_path / ".env")
    with pytest.raises(SecretMissingError, match=r"CRM_TOKEN is not set.*variable.*folder.*\.env"):
        secrets.get("CRM_TOKEN")


def test_an_empty_secret_is_a_missing_one() -> None:
    """An empty variable, the usual slip of a deployment, is not sent as an empty credential."""
    with pytest.raises(SecretMissingError, match="not set"):
        Secrets(["A"], environment={"A": ""}).get("A")


def test_secrets_are_read_from_files_at_every_use(tmp_path: Path) -> None:
    """A mounted file is a secret without its last line break, and a rotated one is seen at once."""
    secrets = Secrets(["mail-key"], environment={}, folder=tmp_path)
    (tmp_path / "mail-key").write_text("first\n")
    assert secrets.get("mail-key") == "first"
    (tmp_path / "mail-key").write_text("second")
    assert secrets.get("mail-key") == "second"


@pytest.mark.parametrize("name", ["../outside", "a/b", "", ".hidden", "a\nb", "a" * 200])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    """Names are names, not paths, even when they are on the allow-list."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("x")
    with pytest.raises(SecretMissingError, match="cannot be the name of a secret"):
        Secrets([name], environment={}, folder=folder).get(name)


def test_an_unreadable_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A secret that is there but cannot be read is not called missing."""
    (tmp_path / "KEY").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SecretMissingError, match="cannot be read"):
        Secrets(["KEY"], environment={}, folder=tmp_path).get("KEY")


def test_dotenv_files_serve_development(tmp_path: Path) -> None:
    """A `.env` file is used where the environment has nothing; nothing in it is interpolated."""
    (tmp_path / ".env").write_text('A=from-file\nB="with $HOME in it"\n')
    secrets = Secrets(["A", "B"], environment={"A": "from-environment"}, dotenv=tmp_path / ".env")
    assert secrets.get("A") == "from-environment"
    assert secrets.get("B") == "with $HOME in it"


def test_a_secret_that_would_break_a_header_is_refused() -> None:
    """A line break in a secret is reported by the secret's name, without its value."""
    secrets = CallSecrets(Secrets(["A"], environment={"A": "hunter2\r\nX: y"}))
    with pytest.raises(CallError, match="secret A") as caught:
        secrets.get("A")
    assert caught.value.code == "refused"
    assert "hunter2" not in caught.value.message


def test_masked_values_are_nowhere() -> None:
    """Every value used in a call is masked in texts, lists, objects and names of fields, longest first."""
    mask = Mask()
    mask.add("hunter2")
    mask.add("hunter2-and-more")
    value = {"a": ["x hunter2 y", 1, None, True], "hunter2": {"b": "hunter2-and-more"}}
    assert mask.value(value) == {"a": [f"x {MASK} y", 1, None, True], MASK: {"b": MASK}}


def test_very_short_values_are_not_masked() -> None:
    """A secret of one letter would tear all other text apart."""
    mask = Mask()
    mask.add("a")
    assert mask.value({"a": "banana"}) == {"a": "banana"}


SECRET = 'k&y"+1/=~ü\\end'


@pytest.mark.parametrize(
    "written",
    [
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).replace("/", "\\/"),
        json.dumps(json.dumps({"a": SECRET})),
        *(base64.b64encode(("x" * n + SECRET + "yz").encode()).decode() for n in range(4)),
        *(base64.urlsafe_b64encode(("x" * n + SECRET).encode()).decode() for n in range(4)),
    ],
)
def test_masked_values_are_nowhere_in_any_form(written: str) -> None:
    """A server that repeats a secret encoded, escaped or as a part of base64 does not get it into a result."""
    mask = Mask()
    mask.add(SECRET)
    shown = mask.text(f"before {written} after")
    assert MASK in shown
    assert len(shown) <= len("before *** after") + 16, shown
