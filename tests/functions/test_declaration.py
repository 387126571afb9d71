"""Decorating functions: what becomes of their signatures, and what is refused with which words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from sojourn import action, source
from sojourn.definitions import load_texts
from sojourn.functions import collecting, documents, function_of


class Size(Enum):
    """An enum."""

    SMALL = "small"
    LARGE = "large"


class Cat(BaseModel):
    """One kind of a union."""

    kind: Literal["cat"]


class Dog(BaseModel):
    """The other kind."""

    kind: Literal["dog"]


@dataclasses.dataclass
class Sent:
    """An answer."""

    id: str
    at: datetime


def checked(*functions: Callable[..., Any]) -> list[str]:
    """Load what functions publish, as the API does; return the problems."""
    declared = [found for function in functions if (found := function_of(function))]
    assert len(declared) == len(functions)
    return [str(problem) for problem in load_texts(documents(declared, lambda _: "actions.py")).problems]


def test_a_signature_becomes_parameters_and_response() -> None:
    """Every kind of annotation gives the schema that its JSON has; defaults make a parameter optional."""

    @action.defn(name="a.b")
    async def send(
        to: str,
        size: Size,
        pet: Annotated[Cat | Dog, Field(discriminator="kind")],
        when: Annotated[datetime, Field(description="when")],
        note: str | None = None,
        count: Annotated[int, Field(ge=1)] = 3,
        data: dict[str, Any] | None = None,
        price: Decimal = Decimal("1.50"),
        anything: Any = None,
        marker: Any = object(),  # noqa: B008
    ) -> list[Sent]:
        """Sends something.

        And more that nobody publishes.
        """
        return []

    found = function_of(send)
    assert found is not None
    definition = found.definition
    assert definition.id == "action:a.b"
    assert definition.description == "Sends something."
    assert definition.python == f"{__name__}:test_a_signature_becomes_parameters_and_response.send"
    assert definition.required_parameters == ["to", "size", "pet", "when"]
    assert definition.parameters["count"] == {"type": "integer", "minimum": 1, "default": 3}
    assert definition.parameters["when"] == {"type": "string", "format": "date-time", "description": "when"}
    assert definition.parameters["note"]["optional"] is True
    assert definition.parameters["marker"] == {"optional": True}
    assert definition.parameters["price"]["default"] == "1.50"
    assert definition.response is not None
    assert definition.response["type"] == "array"
    assert checked(send) == []


def test_limits_and_texts_survive_the_document() -> None:
    """What is published is what was written: durations, and texts that YAML would read otherwise."""
    text = 'tabs\tand "quotes", \\ back, 😀, \x7f \u2028, ${x}: - # 010'

    @action.defn(
        name="a",
        description=text,
        throttle=action.Throttle(calls=5, per=timedelta(seconds=1.5), expire=timedelta(hours=2)),
        cap=action.Cap(calls=3, per=timedelta(minutes=1)),
    )
    async def send(note: str = text, number: str = "1e5", large: int = 2**62) -> None: ...

    @source.defn(name="s", cache=timedelta(days=1))
    async def look() -> Any: ...

    declared = [function_of(send), function_of(look)]
    project = load_texts(documents([f for f in declared if f], lambda _: "actions.py"))
    assert project.ok, project.problems
    for found in declared:
        assert found is not None
        assert project.endpoints[found.id] == found.definition
        assert (
            project.endpoints[found.id].load(json.loads(json.dumps(found.definition.dump())))
            == found.definition
        )
    assert project.endpoints["source:s"].response is None
    assert project.endpoints["source:s"].cache == 86_400


def test_the_function_stays_itself() -> None:
    """The decorator returns the function that it got, which a unit test can call."""

    def plain(x: int) -> int:
        return x + 1

    assert action.defn(name="plain")(plain) is plain
    assert plain(1) == 2


def _define(namespace: str, **settings: Any) -> Callable[..., Any]:
    """Return a function that declares the `f` of a piece of code."""
    names: dict[str, Any] = {"Any": Any, "Callable": Callable, "AsyncIterator": AsyncIterator, "Field": Field}
    exec(compile(namespace, "shop/actions.py", "exec"), names)
    given = {"name": "a.b"} | settings
    return lambda: action.defn(**given)(names["f"])


REFUSED = {
    "no type": ("async def f(to) -> None: ...", "`to` of `f` has no type. Write one, such as `to: str`"),
    "no return": ("async def f(): ...", "`f` does not say what it returns. Write `-> None` if nothing"),
    "*args": (
        "async def f(*parts: str) -> None: ...",
        r"`\*parts` of `f` takes whatever comes.*`list\[str\]`",
    ),
    "**kwargs": ("async def f(**more: str) -> None: ...", r"`\*\*more` of `f` takes whatever comes"),
    "positional only": ("async def f(to: str, /) -> None: ...", "is positional only.* Remove the `/`"),
    "method": ("async def f(self, to: str) -> None: ...", "`f` is a method.* a function of the module"),
    "reserved": (
        "async def f(package: str) -> None: ...",
        "`package` of `f` cannot be named so.*`package_name`",
    ),
    "no JSON": (
        "class X: ...\nasync def f(x: X) -> None: ...",
        "The type of `x` of `f`, X, has no form in JSON",
    ),
    "callable": ("async def f(x: Callable[[], int]) -> None: ...", "has no form in JSON.*pydantic models"),
    "no JSON answer": (
        "class X: ...\nasync def f() -> X: ...",
        "The type of what `f` returns, X, has no form",
    ),
    "unknown type": (
        "async def f(x: 'Fraction') -> None: ...",
        "names `Fraction`, which is not known.*TYPE_CHECKING",
    ),
    "broken type": ("async def f(x: 'a b') -> None: ...", "annotations of `f` cannot be read"),
    "Field default": (
        "async def f(x: int = Field(ge=1)) -> None: ...",
        r"has a Field\(...\) as its default.*Annotated",
    ),
    "generator": ("def f() -> Any:\n    yield 1", "`f` yields values.* return a list"),
    "async generator": (
        "async def f() -> AsyncIterator[int]:\n    yield 1",
        "`f` yields values.* return a list",
    ),
    "a class": ("class f: ...", "no function.*`async def`"),
    "an object": ("f = 5", "no function.*`async def`"),
    "a builtin": ("f = print", "does not say|no function|has no type|takes whatever|cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_refused_with_what_to_write(case: str) -> None:
    """A function that cannot be an action is refused where it is declared, in words."""
    code, expected = REFUSED[case]
    with pytest.raises(action.DefinitionError, match=f"(?s){expected}") as caught:
        _define(code)()
    if "def f" in code:
        assert caught.value.file == "shop/actions.py"
        assert caught.value.line == code[: code.index("def f")].count("\n") + 1
        assert f"(shop/actions.py, line {caught.value.line})" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "no spaces"}, "`name` of `f`: 'no spaces' cannot be a name. Use up to 128 letters"),
        ({"name": 5}, r'must be a text. Write @action.defn\(name="some.name"\)'),
        ({"cap": 5}, r"`cap` of `f` is no Cap. Write cap=action.Cap\(calls=10"),
        ({"cap": action.Cap(5, timedelta())}, "`cap` of `f` needs a time.*timedelta"),
        ({"cap": action.Cap(0, timedelta(seconds=1))}, "`cap.calls` of `f`"),
        ({"throttle": action.Throttle(5, 1)}, "`throttle` of `f` needs a time.*timedelta"),  # type: ignore[arg-type]
    ],
)
def test_settings_are_refused_with_what_to_write(settings: dict[str, Any], expected: str) -> None:
    """So is a decorator with settings that cannot be."""
    with pytest.raises(action.DefinitionError, match=f"(?s){expected}"):
        _define("async def f() -> None: ...", **settings)()


def test_one_decorator_for_a_function() -> None:
    """A second name for a function needs a second function."""

    @action.defn(name="a")
    async def f() -> None: ...

    with pytest.raises(action.DefinitionError, match=r"an action or a source already.*second function"):
        source.defn(name="b")(f)


def test_what_a_loop_declares_is_collected() -> None:
    """Functions that no name of a module leads to are found as well, each on a line of its own."""
    with collecting() as found:
        for name in ("a", "b"):

            @action.defn(name=name)
            async def f() -> None: ...

    assert [thing.name for thing in found] == ["a", "b"]
    project = load_texts(documents(found, lambda _: "x.py"))
    assert project.ok
    assert set(project.endpoints) == {"action:a", "action:b"}


def test_failed_takes_codes_that_journeys_can_tell_apart() -> None:
    """Codes have a form; those that Sojourn gives itself are not for functions."""
    assert action.Failed("x").code == "failed"
    assert action.Failed("x", status=503).code == "http_503"
    assert action.Failed("x", "no_stock").code == "no_stock"
    assert action.Failed("x", retry_after=timedelta(seconds=1)).retry
    for code in ("No stock", "timed_out", ""):
        with pytest.raises(ValueError, match="cannot be the code"):
            action.Failed("x", code)


def test_context_is_only_there_during_calls(tmp_path: Path) -> None:
    """Outside of calls it says how a test gives one."""
    with pytest.raises(RuntimeError, match=r"action\.entered"):
        action.context()
    with action.entered(action.Context(name="a", step="s")):
        assert action.context().step == "s"
        assert source.context().remaining > timedelta(hours=1)
        with pytest.raises(RuntimeError, match="no secrets"):
            action.context().secret("X")
