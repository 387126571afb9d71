"""`profile` in a journey: where it may stand, what its schema says of it, and what the compiled journey says."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.definitions import Project, load_texts

PROFILE = """
profile: customer
schema:
  type: object
  required: [email]
  properties:
    email: {type: string, maxLength: 20}
    visits: {type: integer}
    timezone: {type: string}
    "e-mail sent": {type: boolean}
    address:
      type: object
      required: [city]
      properties: {city: {type: string}, zip: {type: string}}
"""
EVENT = "event: entered\nkey: event.customerId\nschema: {type: object, properties: {customerId: {type: string}}}\n"


def project(journey: str, profile: str = PROFILE, event: str = EVENT) -> Project:
    """Return a project with one journey."""
    return load_texts({"event.yaml": event, "profile.yaml": profile, "journey.yaml": journey} if profile
                      else {"event.yaml": event, "journey.yaml": journey})  # fmt: skip


def journey(steps: str, head: str = "") -> str:
    """Return the text of a journey with these steps."""
    return f"journey: j\nentry: {{event: entered}}\n{head}\nsteps:\n" + "\n".join(
        f"  {line}" for line in steps.splitlines()
    )


def used(steps: str, head: str = "", **files: str) -> Any:
    """Return what the compiled journey says of the profile."""
    found = project(journey(steps, head), **files)
    assert found.ok, "\n".join(map(str, found.problems))
    return found.compiled()["j"].get("profile")


def said(steps: str, head: str = "", **files: str) -> list[str]:
    """Return the errors of a journey, as code, field and message."""
    found = project(journey(steps, head), **files)
    return [f"{problem.code} {problem.field}: {problem.message}" for problem in found.errors]


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        ('a: {set: {x: "${profile.email}"}}', ["email"]),
        ("a: {condition: [{when: profile.visits > 1, next: b}]}\nb: {end: x}", ["visits"]),
        ('a: {wait: {for: "${duration(profile.email)}"}}', ["email"]),
        ('a: {wait: {until: "${profile.email}"}}', ["email"]),
        ("a: {wait_for: [{event: entered, when: profile.visits > 2}], timeout: {after: 1h}}", ["visits"]),
        ('a: {wait_for: [{event: entered}], timeout: {after: "${duration(profile.email)}"}}', ["email"]),
        ('a: {end: "${default(profile.email, profile.timezone)}"}', ["email", "timezone"]),
        ("a: {condition: [{when: 'has(profile.address.zip)', next: b}]}\nb: {end: x}", ["address"]),
        ("a: {update_profile: {visits: \"${default(profile.visits, 0) + 1}\"}}", ["visits"]),
        ("a: {set: {x: \"${profile['e-mail sent']}\"}}", ["e-mail sent"]),
        ('a: {set: {x: "${size(profile)}"}}', None),
        ('a: {set: {x: "${profile[entry.customerId]}"}}', None),
    ],
)  # fmt: skip
def test_the_compiled_journey_names_the_attributes_that_it_reads(steps: str, names: list[str] | None) -> None:
    """In every place where an expression may stand; null where the whole profile is read."""
    assert used(steps) == {"attributes": names}


def test_time_zone_and_exit_criteria_may_name_it() -> None:
    """The head of a journey is looked at as well."""
    head = 'timezone: "${profile.timezone}"\nexit_when: [{event: entered, when: profile.visits > 3}]'
    assert used("a: {wait: {until_time: '09:00'}}", head) == {"attributes": ["timezone", "visits"]}


def test_a_journey_that_only_writes_or_does_neither_says_nothing() -> None:
    """It compiles as it did before there were profiles, so that no new version comes of an update of Sojourn."""
    assert used("a: {update_profile: {visits: 1}}") is None
    assert used('a: {set: {x: "${steps}", profile: profile.email}}') is None


def test_update_profile_is_compiled() -> None:
    """With its templates, its error path and what comes next."""
    found = project(journey('a: {update_profile: {address: {zip: null}, email: "${entry.customerId}"}, on_error: c}\nb: {end: x}\nc: {end: y}'))  # fmt: skip
    assert found.ok
    assert found.compiled()["j"]["steps"]["a"] == {
        "kind": "update_profile",
        "label": None,
        "on_error": "c",
        "values": {"address": {"zip": None}, "email": "${entry.customerId}"},
        "next": "b",
    }


def test_what_the_schema_does_not_know_is_refused() -> None:
    """With the nearest attribute that it has, when reading and when writing."""
    assert said('a: {set: {x: "${profile.emial}"}}') == ["E402 steps.a.set.x: `profile` has no field `emial`"]
    assert said("a: {update_profile: {emial: x, address: {street: y}}}") == [
        "E402 steps.a.update_profile.emial: The profile's schema has no attribute `emial`",
        "E402 steps.a.update_profile.address.street: The profile's schema has no attribute `street`",
    ]


def test_values_that_do_not_fit_the_schema_are_refused() -> None:
    """By their type, by the rest of the schema, and where null would remove what it requires."""
    errors = said(
        'a: {update_profile: {email: null, visits: "${entry.customerId}", timezone: 3, address: {city: null}}}'
    )
    assert [error.split(":")[0] for error in errors] == [
        "E403 steps.a.update_profile.email",
        "E403 steps.a.update_profile.visits",
        "E403 steps.a.update_profile.timezone",
        "E403 steps.a.update_profile.address.city",
    ]
    (error,) = said("a: {update_profile: {email: a-text-that-is-much-too-long@example.com}}")
    assert error.startswith("E403 steps.a.update_profile.email: The value does not fit")
    assert said('a: {condition: [{when: "profile.email > 3", next: b}]}\nb: {end: x}')[0].startswith("E403")


def test_without_a_schema_every_attribute_may_be_named_and_written() -> None:
    """Nothing is known of the profile then."""
    steps = 'a: {set: {x: "${profile.a.b + 1}"}}\nb: {update_profile: {c: {d: [1, null]}, "e f": "${now}"}}'
    assert used(steps, profile="") == {"attributes": ["a"]}
    assert said("a: {update_profile: {}}", profile="") != []


def test_events_and_endpoints_do_not_know_it() -> None:
    """Their expressions are evaluated where no instance is."""
    event = EVENT + "when: profile.visits > 1\n"
    assert said("a: {end: x}", event=event) == ["E402 when: `profile` is not known here"]
    action = 'action: a.b\nurl: http://127.0.0.1/\nmethod: POST\nbody: {x: "${profile.email}"}\n'
    found = load_texts({"a.yaml": action})
    assert [(problem.code, problem.field) for problem in found.errors] == [("E402", "body.x")]


def test_a_step_that_writes_leaves_no_result_and_wants_an_error_path() -> None:
    """As of other steps that call out."""
    found = project(journey('a: {update_profile: {visits: 1}}\nb: {end: "${steps.a.visits}"}'))
    assert {problem.code for problem in found.problems} == {"E404", "W601"}
