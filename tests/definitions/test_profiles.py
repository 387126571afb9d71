"""The document that describes profiles: read, checked, kept, and one in a project."""

from __future__ import annotations

import pytest

from sojourn.definitions import ProfileDefinition, content_hash, load_texts
from tests.definitions.projects import brief

PROFILE = """\
profile: customer
description: What we know of a customer.
schema:
  type: object
  properties: {email: {type: string, format: email}}
"""


def test_is_read_and_kept() -> None:
    """The project has it, and what is stored of it reads back the same, whatever the order of its keys."""
    project = load_texts({"p.yaml": PROFILE})
    assert project.ok
    assert project.profile is not None
    assert (project.profile.name, project.profile.description) == ("customer", "What we know of a customer.")
    stored = project.profile.dump()
    assert stored["schema"]["properties"] == {"email": {"type": "string", "format": "email"}}
    assert ProfileDefinition.load(stored) == project.profile
    lines = PROFILE.splitlines()
    turned = "\n".join([lines[0], *lines[2:], lines[1]])
    other = load_texts({"p.yaml": turned}).profile
    assert other is not None
    assert content_hash(other.dump()) == content_hash(stored)


def test_may_leave_the_attributes_open() -> None:
    """Without a schema all attributes are allowed; without the document the project says nothing."""
    project = load_texts({"p.yaml": "profile: anything\n"})
    assert project.ok
    assert project.profile is not None
    assert project.profile.data_schema is None
    assert load_texts({"e.yaml": "event: e\nkey: event.id\n"}).profile is None


@pytest.mark.parametrize(
    ("text", "expected", "says"),
    [
        (f"{PROFILE}---\nprofile: other\n", ["E205 p.yaml:7:1 profile"], "there is one in p.yaml, line 1"),
        ("profile: c\nschema: {type: string}\n", ["E203 p.yaml:2:16 schema.type"], "type: object"),
        ("profile: c\nschema: {type: [array, 'null']}\n", ["E203 p.yaml:2:16 schema.type"], "an object"),
        ("profile: c\nschema: {properties: {a: {type: strig}}}\n", ["E212 p.yaml:2:33 schema.properties.a.type"], "`string`"),
        ("profile: c\nshema: {}\n", ["E201 p.yaml:2:1 shema"], "Did you mean `schema`?"),
        ("profile: c\nschema: [a]\n", ["E203 p.yaml:2:9 schema"], "mapping"),
        ("profile: 3\n", ["E203 p.yaml:1:10 profile"], "must be a text"),
        ("profile: c\nkey: event.id\n", ["E201 p.yaml:2:1 key"], "`key` is not known here"),
    ],
)  # fmt: skip
def test_mistakes_are_named(text: str, expected: list[str], says: str) -> None:
    """What is wrong is told with code, place and what to write; nothing else is."""
    project = load_texts({"p.yaml": text})
    assert brief(project.errors) == expected
    assert says in str(project.errors[0])


def test_two_files_with_one_each() -> None:
    """The second document is named with the file of the first."""
    project = load_texts({"a.yaml": PROFILE, "b.yaml": PROFILE})
    assert brief(project.errors) == ["E205 b.yaml:1:1 profile"]
    assert "in a.yaml, line 1" in project.errors[0].message
