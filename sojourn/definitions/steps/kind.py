"""The base of all kinds of steps: what a kind says of itself, and what a step is asked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.base import Model
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.definitions.steps.exits import Exit, on_error
from sojourn.definitions.steps.values import Target
from sojourn.expressions import Type


class Step(Model):
    """What every step may have."""

    kind: ClassVar[str] = ""
    """The key that says the kind, in files and in the compiled form."""
    waits: ClassVar[bool] = False
    """Whether time passes in it, so that a loop through it is allowed."""
    calls: ClassVar[bool] = False
    """Whether it calls out, so that it should have `on_error`."""
    leads_on: ClassVar[bool] = True
    """Whether another step may come after it."""
    leaves_result: ClassVar[bool] = False
    """Whether it leaves a result, `steps.<id>`."""
    templates: ClassVar[tuple[str, ...]] = ()
    """Fields of the compiled form that hold templates."""
    short_form: ClassVar[tuple[type, str] | None] = None
    """A type that people write by mistake as the value of the key, and what to write instead."""
    in_python: ClassVar[str | None] = None
    """The function of `sojourn.journey` that does such a step, if its name is enough to know it in source code."""
    timeout_hint: ClassVar[str] = "Leave it out; only wait_for has it."
    """What to do about a `timeout` in a kind that has none."""

    label: str | None = Field(None, max_length=200, description="Name of the step for people")
    next: Target | None = None

    @classmethod
    def prepare(cls, value: dict[str, Any], source: Source, path: Path) -> dict[str, Any]:
        """Report frequent mistakes of the kind in a step's document, and return the document without them."""
        return value

    def exits(self, following: str | None) -> list[Exit]:
        """Return the ways out of the step.

        Args:
            following: The step that is written after it, which comes next unless the step names another.
        """
        return [self.onward(following), *on_error(getattr(self, "on_error", None))]

    def onward(self, following: str | None) -> Exit:
        """Return the exit to the step's own `next`, or to the step that is written after it."""
        return Exit(self.next, ("next",), "next") if self.next else Exit(following, (), "next")

    def check(self, context: StepContext) -> None:
        """Report what is wrong with the step, apart from its targets and its expressions."""

    def check_expressions(self, context: ExpressionContext) -> None:
        """Report what is wrong with the step's expressions and templates."""

    def result_type(self, answer: Callable[[str], Type], infer: Callable[[Any], Type]) -> Type | None:
        """Return the type of the step's result; None if it leaves no result.

        Args:
            answer: Returns the type of an endpoint's answer, by its id.
            infer: Returns the type that a template yields.
        """
        return None

    def listens(self) -> Sequence[str]:
        """Return the events that the step waits for."""
        return ()

    def counts_earlier_events(self) -> bool:
        """Return whether events count that arrived before the instance came to the step."""
        return False

    def endpoint(self) -> str | None:
        """Return the id of the endpoint that the step calls, such as `source:crm.customer`."""
        return None

    @abstractmethod
    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return the step's own part of the compiled form; `kind` and `label` are added to it.

        Args:
            onward: The step that comes next unless a branch names another.
        """


def check_error_path(step: Step, context: StepContext) -> None:
    """Warn about a step that calls out and has no error path."""
    if step.calls and getattr(step, "on_error", None) is None:
        context.source.report(
            Code.NO_ERROR_PATH,
            context.path,
            "The step calls out and has no error path: an error ends the instance as failed",
            "Name the step that takes over with `on_error`.",
            key=True,
        )
