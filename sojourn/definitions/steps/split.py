"""Steps `split`: divide profiles by percentages."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from sojourn.definitions.base import Model
from sojourn.definitions.codes import Code
from sojourn.definitions.durations import whole
from sojourn.definitions.steps.context import StepContext
from sojourn.definitions.steps.exits import Exit, branch
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Target


class Share(Model):
    """A branch of a `split`."""

    share: float = Field(ge=0, le=100, description="Percent of the profiles; all shares make 100")
    next: Target | None = None


class Shares(Model):
    """How a `split` divides profiles."""

    branches: list[Share] = Field(min_length=2)
    by: Literal["profile", "random"] = Field(
        "profile", description="`profile`: a profile always takes the same branch; `random`: drawn afresh"
    )


class SplitStep(Step):
    """Divides profiles by percentages."""

    kind: ClassVar[str] = "split"
    in_python: ClassVar[str | None] = "split"
    short_form: ClassVar[tuple[type, str] | None] = (list, "Write split: {branches: [...]}.")

    split: Shares

    def exits(self, following: str | None) -> list[Exit]:
        """Return one way for each branch."""
        onward = self.onward(following)
        return [
            branch(item.next, onward, ("split", "branches", index, "next"), f"{item.share:g} %")
            for index, item in enumerate(self.split.branches)
        ]

    def check(self, context: StepContext) -> None:
        """Report shares that do not make 100."""
        total = round(sum(item.share for item in self.split.branches), 6)
        if total != 100:
            message = f"The shares come to {total:g}, not to 100"
            hint = "Change them, so that together they make 100."
            context.source.report(Code.SHARES, (*context.path, "split", "branches"), message, hint)

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `branches` and `by`."""
        shares = [{"share": whole(item.share), "next": item.next or onward} for item in self.split.branches]
        return {"branches": shares, "by": self.split.by}
