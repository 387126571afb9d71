"""The steps of a journey: one model for each kind, told apart by the key that says the kind."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from sojourn.definitions.base import CelText, Identifier, JourneyName, Model, Name
from sojourn.definitions.codes import Code, problem
from sojourn.definitions.dates import parse_clock, parse_hours
from sojourn.definitions.durations import parse_duration

Target = Annotated[str, Field(description="Id of the step that comes next")]
Templates = dict[str, Any]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _span(value: Any) -> Any:
    """Read a positive duration, or a template that yields one."""
    if isinstance(value, str) and "${" not in value:
        try:
            seconds = parse_duration(value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            raise problem(
                Code.DURATION,
                message[0].upper() + message[1:],
                (hint[:1].upper() + hint[1:] if hint else "Write a duration such as 1h30m")
                + ', or "${...}" with an expression that yields a duration.',
            ) from None
        if seconds <= 0:
            raise problem(
                Code.DURATION, "The duration must be longer than nothing", "Write a longer one, such as 1s."
            )
        return seconds
    if isinstance(value, str):
        return value
    raise problem(
        Code.DURATION,
        f"The duration {value} has no unit" if isinstance(value, int | float) else "This is not a duration",
        "Write a number and a unit, such as 30s, 1h30m or 1d.",
    )


Span = Annotated[
    float | str,
    BeforeValidator(_span),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$|\$\{",
            "description": 'A duration such as 1h30m, or "${...}" that yields one',
        }
    ),
]
"""Seconds, or the text of a template that yields a duration."""


def _clock(value: Any) -> Any:
    if isinstance(value, str) and parse_clock(value):
        return value.strip()
    shown = f"`{value[:40]}`" if isinstance(value, str) else "This"
    raise problem(Code.DATE, f"{shown} is no time of day", 'Write it like "09:00".')


Clock = Annotated[
    str,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
"""A time of day such as `09:00`."""


def _hours(value: Any) -> Any:
    """Read ranges of hours; one may stand alone."""
    ranges = value if isinstance(value, list) else [value]
    if not ranges or not all(isinstance(item, str) for item in ranges):
        hint = 'Write one like "09:00-18:00", or a list of them.'
        raise problem(Code.DATE, "This is no range of hours", hint)
    try:
        return [parse_hours(item) for item in ranges]
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise problem(Code.DATE, message, f"{hint[:1].upper()}{hint[1:]}.") from None


_HOURS_SCHEMA = {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2} *- *[0-9]{2}:[0-9]{2}$"}
Hours = Annotated[
    list[tuple[int, int]],
    BeforeValidator(_hours),
    WithJsonSchema({"anyOf": [_HOURS_SCHEMA, {"type": "array", "items": _HOURS_SCHEMA, "minItems": 1}]}),
]
"""Ranges of hours, as pairs of minutes of the day; written like `09:00-18:00`, or as a list of such."""


class Step(Model):
    """What every step may have."""

    kind: ClassVar[str] = ""
    fails: ClassVar[bool] = False
    """Whether the kind may have `on_error`."""
    waits: ClassVar[bool] = False
    """Whether time passes in it, so that a loop through it is allowed."""

    label: str | None = Field(None, max_length=200, description="Name of the step for people")
    next: Target | None = None


class AwaitedEvent(Model):
    """One of the events that a `wait_for` step listens for."""

    event: Name
    when: CelText | None = Field(
        None, description="Which of these events counts; `event` is the one that arrived"
    )
    next: Target | None = None
    restart: bool = Field(False, description="The event does not end the wait: its timer starts again")


class Timeout(Model):
    """When a wait for events ends without one."""

    after: Span
    next: Target | None = None


class WaitForStep(Step):
    """Listens for events; the first that fits decides the path."""

    kind: ClassVar[str] = "wait_for"
    waits: ClassVar[bool] = True

    wait_for: list[AwaitedEvent] = Field(min_length=1)
    timeout: Timeout | None = None
    since: Literal["now", "entry"] = Field(
        "now", description="`entry` also counts events that arrived earlier"
    )


class Pause(Model):
    """How long a `wait` step waits: exactly one of `for`, `until` and `until_time`."""

    # For editors; the checks of steps say the same of a file, in words of their own.
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [name]} for name in ("for", "until", "until_time")],
            "dependentRequired": {"on": ["until_time"]},
        }
    )

    for_: Span | None = Field(None, alias="for")
    until: str | None = Field(
        None, description='A moment: "${...}" that yields a timestamp, or RFC 3339 text'
    )
    until_time: Clock | None = Field(
        None, description="A time of day in the journey's time zone, such as 09:00"
    )
    on: list[Day] | None = Field(None, min_length=1, description="The days on which `until_time` counts")


class WaitStep(Step):
    """Lets time pass."""

    kind: ClassVar[str] = "wait"
    waits: ClassVar[bool] = True

    wait: Pause


class Branch(Model):
    """A branch of a `condition`."""

    when: CelText
    next: Target | None = None


class ConditionStep(Step):
    """An ordered list of branches; the first whose `when` is true wins."""

    kind: ClassVar[str] = "condition"
    fails: ClassVar[bool] = True

    condition: list[Branch] = Field(min_length=1)
    else_: Target | None = Field(
        None, alias="else", description="Where to go when none is true; left out: the end"
    )
    on_error: Target | None = None


class DateRange(Model):
    """From the start of one day to the end of another."""

    from_: str | None = Field(None, alias="from")
    to: str | None = None


class TimeWindow(Model):
    """When a `time_condition` is true: all that are given must hold."""

    hours: Hours | None = Field(
        None, description="From one time of day to another, such as 09:00-18:00, or a list of such"
    )
    days: list[Day] | None = Field(None, min_length=1)
    dates: DateRange | None = None


class TimeConditionStep(Step):
    """Branches on the hour, the weekday or the date."""

    kind: ClassVar[str] = "time_condition"
    fails: ClassVar[bool] = True

    time_condition: TimeWindow
    else_: Target | None = Field(
        None, alias="else", description="Where to go at another time; left out: the end"
    )
    on_error: Target | None = None


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

    split: Shares


class FetchStep(Step):
    """Asks a data source; the result is `steps.<id>`."""

    kind: ClassVar[str] = "fetch"
    fails: ClassVar[bool] = True

    fetch: Name
    with_: Templates = Field(default_factory=dict, alias="with", description="Values of the parameters")
    on_error: Target | None = None


class ActionStep(Step):
    """Performs an action; the result is `steps.<id>`."""

    kind: ClassVar[str] = "action"
    fails: ClassVar[bool] = True

    action: Name
    with_: Templates = Field(default_factory=dict, alias="with", description="Values of the parameters")
    on_error: Target | None = None


class SetStep(Step):
    """Names values for later steps: `steps.<id>.<name>`."""

    kind: ClassVar[str] = "set"

    set: dict[Identifier, Any] = Field(min_length=1)


class UpdateProfileStep(Step):
    """Writes attributes to the built-in profile."""

    kind: ClassVar[str] = "update_profile"
    fails: ClassVar[bool] = True

    update_profile: dict[str, Any] = Field(
        min_length=1,
        description="Attributes and their values; objects are merged, and null removes an attribute",
    )
    on_error: Target | None = None


class JumpStep(Step):
    """Starts the profile on another journey, and goes on."""

    kind: ClassVar[str] = "jump"
    fails: ClassVar[bool] = True

    jump: JourneyName
    with_: Templates | None = Field(
        None,
        alias="with",
        description="Data of the event on which profiles enter that journey; that of this one's if left out",
    )
    on_error: Target | None = None


class EndStep(Step):
    """Ends the instance; the text is its outcome."""

    kind: ClassVar[str] = "end"

    end: str | None


STEP_KINDS: dict[str, type[Step]] = {
    model.kind: model
    for model in (
        WaitForStep,
        WaitStep,
        ConditionStep,
        TimeConditionStep,
        SplitStep,
        FetchStep,
        ActionStep,
        SetStep,
        UpdateProfileStep,
        JumpStep,
        EndStep,
    )
}
"""The model of each kind of step."""


def _step_kind(value: Any) -> str | None:
    if isinstance(value, Step):
        return f"kind:{value.kind}"
    kinds = [kind for kind in STEP_KINDS if kind in value] if isinstance(value, dict) else []
    return f"kind:{kinds[0]}" if len(kinds) == 1 else None


AnyStep = Annotated[
    Annotated[WaitForStep, Tag("kind:wait_for")]
    | Annotated[WaitStep, Tag("kind:wait")]
    | Annotated[ConditionStep, Tag("kind:condition")]
    | Annotated[TimeConditionStep, Tag("kind:time_condition")]
    | Annotated[SplitStep, Tag("kind:split")]
    | Annotated[FetchStep, Tag("kind:fetch")]
    | Annotated[ActionStep, Tag("kind:action")]
    | Annotated[SetStep, Tag("kind:set")]
    | Annotated[UpdateProfileStep, Tag("kind:update_profile")]
    | Annotated[JumpStep, Tag("kind:jump")]
    | Annotated[EndStep, Tag("kind:end")],
    Discriminator(_step_kind),
]
"""A step of any kind; exactly one of its keys says which."""

CALLS = ("fetch", "action", "update_profile", "jump")
"""Kinds that call out."""
