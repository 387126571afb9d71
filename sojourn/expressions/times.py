"""Timestamps, durations and time zones.

A timestamp is an aware `datetime`. It is a moment; its zone only says how it is written and whose days and hours
it has. So whatever compares or calculates goes through UTC, since Python itself, between two values of one zone,
compares what clocks show.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from sojourn.expressions.errors import EvaluationError

MAX_DURATION = timedelta(microseconds=(2**63 - 1) // 1000)
"""About 292 years: what 64 bits of nanoseconds hold, as in other implementations of CEL."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?([Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_DURATION = re.compile(r"([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|[smhdw]))+|0)", re.ASCII)
_DURATION_PART = re.compile(r"(\d*)(?:\.(\d*))?(ns|us|µs|ms|[smhdw])", re.ASCII)
_ISO_DURATION = re.compile(
    r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?", re.ASCII
)
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9,
}  # fmt: skip


def instant(value: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises:
        EvaluationError: The value has no zone, so that it is no moment.
    """
    zone = value.tzinfo
    if zone is UTC:
        return value
    if zone is None or value.utcoffset() is None:
        raise EvaluationError("the timestamp has no time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise EvaluationError("the timestamp is outside the years 1 to 9999") from None


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name (`Europe/Paris`) or its offset (`+02:00`).

    Raises:
        EvaluationError: There is no such zone.
    """
    if name in ("UTC", "Z", "z"):
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is not None:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(hours=24) and int(match[3]) < 60:
            return timezone(-offset if match[1] == "-" else offset)
    elif len(name) <= 64 and re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", name, re.ASCII):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            pass
    raise EvaluationError(
        "there is no such time zone; write a name such as Europe/Paris, or an offset such as +02:00"
    )


def in_zone(value: datetime, place: tzinfo) -> datetime:
    """Return the same moment as the clocks of a zone show it.

    Raises:
        EvaluationError: The clocks there would show a year outside 1 to 9999.
    """
    moment = instant(value)
    try:
        return moment.astimezone(place)
    except OverflowError:
        raise EvaluationError("the timestamp is outside the years 1 to 9999") from None


def local(value: datetime, place: str | None) -> datetime:
    """Return the moment as the clocks of a named zone show it; without a name, those of its own zone."""
    if place is None:
        instant(value)
        return value
    return in_zone(value, zone(place))


def moment_of(wall: datetime, place: tzinfo) -> datetime:
    """Return the moment at which the clocks of a zone show this time.

    A time that a clock change skips means the first moment after the gap; one that comes twice, the first.

    Args:
        wall: What the clocks show, without a zone.
        place: The zone.

    Raises:
        EvaluationError: The moment is outside the years 1 to 9999.
    """
    try:
        first = wall.replace(tzinfo=place, fold=0)
        if first.astimezone(UTC).astimezone(place).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
            return first
        # In a gap. Read with the offset before the change the time lies after it, with the offset after it before it.
        later = first.astimezone(UTC)
        earlier = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
        after = later.astimezone(place).utcoffset()
        while later - earlier > timedelta(seconds=1):
            middle = earlier + timedelta(seconds=(later - earlier) // timedelta(seconds=2))
            if middle.astimezone(place).utcoffset() == after:
                later = middle
            else:
                earlier = middle
        return later.replace(microsecond=0).astimezone(place)
    except (OverflowError, ValueError):
        raise EvaluationError("the timestamp is outside the years 1 to 9999") from None


def read_timestamp(text: str, place: str | None = None) -> datetime:
    """Return the moment that a text in RFC 3339 says.

    Args:
        text: Such as `2026-03-29T08:00:00Z`. Digits below the microsecond are dropped.
        place: The zone of a text without one, which may then also be a date alone. Without it the text must say
            its own.

    Raises:
        EvaluationError: The text says no moment.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise EvaluationError("the text is not a timestamp such as 2026-03-29T08:00:00Z")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if place is None and (offset is None or second is None or " " in text or "," in text):
        raise EvaluationError(
            "the text is not a timestamp such as 2026-03-29T08:00:00Z; for one without a zone, write "
            'timestamp(text, "Europe/Paris")'
        )
    try:
        wall = datetime.combine(
            date(int(year), int(month), int(day)),
            time(
                int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")[:6])
            ),
        )
    except ValueError:
        raise EvaluationError("the text names a day or a time that does not exist") from None
    place_zone = zone(place or "UTC")
    if offset is None:
        return moment_of(wall, place_zone)
    if offset not in ("Z", "z"):
        offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
        return instant(wall.replace(tzinfo=zone(offset)))
    return wall.replace(tzinfo=UTC)


def write_timestamp(value: datetime) -> str:
    """Return a timestamp as RFC 3339 text, with `Z` or its zone's offset."""
    instant(value)
    whole = value.replace(microsecond=0, tzinfo=None).isoformat()
    fraction = _fraction(value.microsecond)
    offset = value.utcoffset() or timedelta(0)
    if not offset:
        return f"{whole}{fraction}Z"
    if offset % timedelta(minutes=1):
        # Offsets with seconds are older than RFC 3339 can say.
        return write_timestamp(instant(value))
    sign = "-" if offset < timedelta(0) else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{whole}{fraction}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def read_duration(text: str) -> timedelta:
    """Return the duration that a text says: `1h30m`, `1.5s`, `3d`, or ISO 8601 such as `PT1H30M`.

    A day is 24 hours, a week seven days. Digits below the microsecond are dropped.

    Raises:
        EvaluationError: The text says no duration, or one above 292 years.
    """
    if len(text) > 200:
        raise EvaluationError("the text is not a duration such as 1h30m")
    match = _DURATION.fullmatch(text)
    if match is not None:
        total = 0
        for whole, fraction, unit in _DURATION_PART.findall(match[2]):
            size = _NANOSECONDS[unit]
            total += int(whole or 0) * size + (int(fraction) * size // 10 ** len(fraction) if fraction else 0)
        return _limited(-total if match[1] == "-" else total)
    iso = _ISO_DURATION.fullmatch(text)
    if iso is None or not any(iso.groups()[1:]) or text.endswith("T"):
        if re.fullmatch(r"[+-]?P[\dYMWD]+(T[\dHMS.]+)?", text, re.ASCII):
            raise EvaluationError("years and months are no fixed time; use addMonths or addYears")
        raise EvaluationError("the text is not a duration such as 1h30m")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups()[1:6])
    total = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    nanoseconds = total * 10**9 + int((iso[7] or "0").ljust(9, "0"))
    return _limited(-nanoseconds if iso[1] == "-" else nanoseconds)


def _limited(nanoseconds: int) -> timedelta:
    """Return a duration, if it is not too long."""
    if abs(nanoseconds) >= 2**63:
        raise EvaluationError("the duration is longer than 292 years")
    sign = -1 if nanoseconds < 0 else 1
    return timedelta(microseconds=sign * (abs(nanoseconds) // 1000))


def limit_duration(value: timedelta) -> timedelta:
    """Return a duration, if it is not longer than 292 years.

    Raises:
        EvaluationError: It is.
    """
    if abs(value) > MAX_DURATION:
        raise EvaluationError("the duration is longer than 292 years")
    return value


def write_duration(value: timedelta) -> str:
    """Return a duration as CEL writes it: in seconds, such as `5400s` or `1.500s`."""
    microseconds = value // _MICROSECOND
    sign = "-" if microseconds < 0 else ""
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    return f"{sign}{seconds}{_fraction(rest)}s"


def _fraction(microseconds: int) -> str:
    """Return the decimals of a second as JSON of protocol buffers has them: none, three or six."""
    if not microseconds:
        return ""
    return f".{microseconds:06d}" if microseconds % 1000 else f".{microseconds // 1000:03d}"


def add(moment: datetime, duration: timedelta) -> datetime:
    """Return the moment that lies a duration later, in the zone of the first.

    Raises:
        EvaluationError: It is outside the years 1 to 9999.
    """
    try:
        result = instant(moment) + duration
        return result if moment.tzinfo is UTC else result.astimezone(moment.tzinfo)
    except OverflowError:
        raise EvaluationError("the timestamp is outside the years 1 to 9999") from None


def epoch_microseconds(value: datetime) -> int:
    """Return the microseconds between the start of 1970 in UTC and a moment."""
    return (instant(value) - _EPOCH) // _MICROSECOND


def from_epoch(microseconds: int) -> datetime:
    """Return the moment so many microseconds after the start of 1970 in UTC.

    Raises:
        EvaluationError: It is outside the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise EvaluationError("the timestamp is outside the years 1 to 9999") from None
