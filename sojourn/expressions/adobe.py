"""From each function and operator of Adobe Journey Orchestration's expressions to ours.

The table in `docs/reference/functions.md` is made of this, and a test evaluates every example.
"""

# ruff: noqa: E501 - a table, one row a line where it fits
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What stands for something of Adobe's.

    Attributes:
        group: The chapter of Adobe's that it belongs to.
        theirs: What it is there.
        ours: What to write here; empty if there is nothing.
        example: An expression.
        result: What it is equal to.
        note: What differs, or why there is nothing.
    """

    group: str
    theirs: str
    ours: str
    example: str = ""
    result: str = ""
    note: str = ""


_OPERATORS = "Operators"
_FIELDS = "Fields and collections"
_AGGREGATION = "Aggregation"
_CONVERSION = "Conversion"
_DATE = "Date"
_LIST = "List"
_MATH = "Math"
_STRING = "String"
_AUDIENCE = "Audiences"

_NO_LOCAL = "There is no type for a date or time without a zone: `timestamp(text, zone)` makes it a moment."
_NO_CHANCE = "An expression gives the same result on every replay."

COUNTERPARTS: tuple[Counterpart, ...] = (
    Counterpart(_OPERATORS, "`and`", "`&&`", "true && false", "false"),
    Counterpart(_OPERATORS, "`or`", "`||`", "true || false", "true"),
    Counterpart(_OPERATORS, "`not`", "`!`", "!(3.15 < 1)", "true", "It binds tighter than a comparison."),
    Counterpart(_OPERATORS, "`==`, `!=`", "`==`, `!=`", "1 == 1.0", "true"),
    Counterpart(_OPERATORS, "`>`, `>=`, `<`, `<=`", "the same", "2 > 1.5", "true", "Text and bools can be compared, too."),
    Counterpart(
        _OPERATORS, "`+`, `-`, `*`, `/`, `%` of numbers", "the same", "3 * 4.0", "12.0",
        "Whole numbers divided by zero are an error, not 0; `%` takes whole numbers.",
    ),
    Counterpart(_OPERATORS, "`+` of strings", "`+` with `string(x)`", "'abc' + string(1234)", "'abc1234'"),
    Counterpart(
        _OPERATORS, "`+` of a date and a duration", "the same",
        "timestamp('2026-01-01T00:00:00Z') + duration('PT1H')", "timestamp('2026-01-01T01:00:00Z')",
    ),
    Counterpart(_OPERATORS, "`is null`, `is not null`", "`== null`, `!= null`", "event.none == null", "true",
                "A field that is missing is not null: ask `has(x.y)`, or `default(x.y, null) == null` for both."),
    Counterpart(_OPERATORS, "`has null`", "`null in list`", "null in [1, null]", "true"),
    Counterpart(_OPERATORS, "`is numeric`", "`type(x) in [int, double]`", "type(event.price) in [int, double]", "true"),
    Counterpart(_OPERATORS, "`is integer`", "`type(x) == int`", "type(3) == int", "true"),
    Counterpart(_OPERATORS, "`is decimal`", "`type(x) == double`", "type(3.5) == double", "true"),
    Counterpart(_OPERATORS, "`if (c) then (a) else (b)`", "`c ? a : b`", "2 > 1 ? 'yes' : 'no'", "'yes'"),
    Counterpart(_FIELDS, "`@{Event.field}`", "`event.field`, `events[\"name\"].field`", "event.id", "'o-1'"),
    Counterpart(_FIELDS, "`#{Source.group.field}`", "`steps.name.body.field`", "steps.crm.body.city", "'Rome'"),
    Counterpart(_FIELDS, "`..., defaultValue: x`", "`default(event.field, x)`", "default(event.gone, -1)", "-1"),
    Counterpart(_FIELDS, "`all(condition)`", "`list.filter(x, condition)`",
                "event.tokens.filter(t, t.version == '1.0').map(t, t.token)", "['token_1', 'token_2']"),
    Counterpart(_FIELDS, "`first(condition)`", "`first(list.filter(x, condition))`",
                "first(event.tokens.filter(t, t.version == '1.0')).token", "'token_1'"),
    Counterpart(_FIELDS, "`last(condition)`", "`last(list.filter(x, condition))`",
                "last(event.tokens.filter(t, t.version == '1.0')).token", "'token_2'"),
    Counterpart(_FIELDS, "`at(i)`", "`list[i]`", "event.tokens[1].token", "'token_2'"),
    Counterpart(_FIELDS, "a path through a list", "`list.map(x, x.field)`", "size(event.tokens.map(t, t.token))", "3"),
    Counterpart(_FIELDS, "`entry('key')`", "`map[\"key\"]`", "event.stock['red']", "4"),
    Counterpart(_FIELDS, "`firstEntryKey()`", "`first(keys(map))`", "first(keys(event.stock))", "'red'"),
    Counterpart(_FIELDS, "`keys()`", "`keys(map)`", "keys(event.stock)", "['red', 'blue']"),
    Counterpart(_AUDIENCE, "`inSegment`, `inAudience`", "`\"name\" in list`", "'gold' in event.audiences", "true",
                "Audiences are no part of Sojourn: they come with the data of an event, a source or the profile."),
    Counterpart(_AGGREGATION, "`avg(list)`", "`avg(list)`", "avg([10, 3, 8])", "7.0"),
    Counterpart(_AGGREGATION, "`avg(a, b)`", "`avg([a, b])`", "avg([10.25, 3])", "6.625"),
    Counterpart(_AGGREGATION, "`count(list)`", "`size(nonNull(list))`", "size(nonNull([10, 2, 10, null]))", "3"),
    Counterpart(_AGGREGATION, "`countOnlyNull(list)`", "`size(list.filter(x, x == null))`",
                "size([10, 2, 10, null].filter(x, x == null))", "1"),
    Counterpart(_AGGREGATION, "`countWithNull(list)`", "`size(list)`", "size([10, 2, 10, null])", "4"),
    Counterpart(_AGGREGATION, "`distinctCount(list)`", "`size(distinct(nonNull(list)))`",
                "size(distinct(nonNull([10, 2, 10, null])))", "2"),
    Counterpart(_AGGREGATION, "`distinctCountWithNull(list)`", "`size(distinct(list))`",
                "size(distinct([10, 2, 10, null]))", "3"),
    Counterpart(_AGGREGATION, "`max(list)`, `max(a, b)`", "`max(list)`, `max(a, b)`", "max([10, null, 8])", "10"),
    Counterpart(_AGGREGATION, "`min(list)`, `min(a, b)`", "`min(list)`, `min(a, b)`", "min([10, null, 8])", "8"),
    Counterpart(_AGGREGATION, "`sum(list)`", "`sum(list)`", "sum([10.5, null, 8.1])", "18.6"),
    Counterpart(_AGGREGATION, "`sum(a, b)`", "`a + b`", "1 + 2", "3"),
    Counterpart(_CONVERSION, "`toBool(string)`", "`bool(x)`", "bool('true')", "true",
                "A text that is neither true nor false is an error."),
    Counterpart(_CONVERSION, "`toBool(number)`", "`x != 0`", "2 != 0", "true"),
    Counterpart(_CONVERSION, "`toDateOnly(x)`", "`date(x)`", "date(timestamp('2016-08-18T23:00:00Z'))", "'2016-08-18'",
                "A date is text, which compares and sorts as dates do."),
    Counterpart(_CONVERSION, "`toDateTimeOnly(x)`", "`timestamp(x, zone)`",
                "timestamp('2016-08-18', 'UTC')", "timestamp('2016-08-18T00:00:00Z')", _NO_LOCAL),
    Counterpart(_CONVERSION, "`toDateTime(string)`", "`timestamp(x)`",
                "timestamp('2026-01-01T01:00:00+01:00')", "timestamp('2026-01-01T00:00:00Z')"),
    Counterpart(_CONVERSION, "`toDateTime(zone, dateTimeOnly)`", "`timestamp(text, zone)`",
                "timestamp('2026-07-01T09:00:00', 'Europe/Paris')", "timestamp('2026-07-01T07:00:00Z')"),
    Counterpart(_CONVERSION, "`toDateTime(epoch ms)`", "`fromMillis(n)`", "fromMillis(1000)", "timestamp(1)"),
    Counterpart(_CONVERSION, "`toDecimal(x)`", "`double(x)`", "double('4.5')", "4.5",
                "Of a bool write `x ? 1.0 : 0.0`."),
    Counterpart(_CONVERSION, "`toDuration(ISO)`", "`duration(x)`", "duration('PT5S')", "seconds(5)"),
    Counterpart(_CONVERSION, "`toDuration(ms)`", "`millis(n)`", "millis(500)", "duration('500ms')"),
    Counterpart(_CONVERSION, "`toInteger(x)`", "`int(x)`", "int(3.9)", "3"),
    Counterpart(_CONVERSION, "`toInteger(dateTime)`", "`toMillis(x)`", "toMillis(timestamp(1))", "1000",
                "`int(x)` gives seconds."),
    Counterpart(_CONVERSION, "`toString(x)`", "`string(x)`", "string(4.5)", "'4.5'",
                "A duration becomes seconds; for milliseconds write `string(toMillis(x))`."),
    Counterpart(_DATE, "`currentTimeInMillis()`", "`toMillis(now)`", "toMillis(now)", "1781524800000"),
    Counterpart(_DATE, "`now()`", "`now`", "now", "timestamp('2026-06-15T12:00:00Z')"),
    Counterpart(_DATE, "`now(zone)`", "`inZone(now, zone)`", "inZone(now, 'Europe/Paris').getHours()", "14"),
    Counterpart(_DATE, "`inLastHours(d, n)`", "`inLast(d, hours(n))`", "inLast(now - hours(1), hours(2))", "true"),
    Counterpart(_DATE, "`inLastDays(d, n)`", "`inLastDays(d, n)`", "inLastDays(now - hours(47), 2)", "true"),
    Counterpart(_DATE, "`inLastMonths(d, n)`", "`inLastMonths(d, n)`", "inLastMonths(now - days(32), 1)", "false"),
    Counterpart(_DATE, "`inLastYears(d, n)`", "`inLastYears(d, n)`", "inLastYears(now - days(300), 1)", "true"),
    Counterpart(_DATE, "`inNextHours(d, n)`", "`inNext(d, hours(n))`", "inNext(now + hours(3), hours(2))", "false"),
    Counterpart(_DATE, "`inNextDays(d, n)`", "`inNextDays(d, n)`", "inNextDays(now + hours(47), 2)", "true"),
    Counterpart(_DATE, "`inNextMonths(d, n)`", "`inNextMonths(d, n)`", "inNextMonths(now + days(29), 1)", "true"),
    Counterpart(_DATE, "`inNextYears(d, n)`", "`inNextYears(d, n)`", "inNextYears(now + days(367), 1)", "false"),
    Counterpart(_DATE, "`nowWithDelta(n, part)`", "`now + hours(n)`, `addDays(now, n)`, `addMonths(now, n)`",
                "addMonths(now, -1)", "timestamp('2026-05-15T12:00:00Z')", "Likewise `minutes`, `seconds`, `addYears`."),
    Counterpart(_DATE, "`nowWithDelta(n, part, zone)`", "`addDays(now, n, zone)`",
                "addDays(now, 1, 'Europe/Paris')", "timestamp('2026-06-16T12:00:00Z')"),
    Counterpart(_DATE, "`setHours(d, h)`", "`withHour(d, h)`", "withHour(now, 9)", "timestamp('2026-06-15T09:00:00Z')"),
    Counterpart(_DATE, "`setDays(d, n)`", "`withDay(d, n)`", "withDay(now, 1)", "timestamp('2026-06-01T12:00:00Z')"),
    Counterpart(_DATE, "`updateTimeZone(d, zone)`", "`inZone(d, zone)`",
                "string(inZone(now, 'Asia/Tokyo'))", "'2026-06-15T21:00:00+09:00'"),
    Counterpart(_LIST, "`distinct(list)`", "`distinct(nonNull(list))`", "distinct(nonNull([10, 2, 10, null]))", "[10, 2]"),
    Counterpart(_LIST, "`distinctWithNull(list)`", "`distinct(list)`", "distinct([10, 2, 10, null])", "[10, 2, null]"),
    Counterpart(_LIST, "`distinct(list, key)`", "`list.distinctBy(x, x.key)`",
                "event.tokens.distinctBy(t, t.version).map(t, t.token)", "['token_1', 'token_3']"),
    Counterpart(_LIST, "`filter(list, key, values)`", "`list.filter(x, x.key in values)`",
                "event.tokens.filter(t, t.version in ['2.0', '3.0']).map(t, t.token)", "['token_3']"),
    Counterpart(_LIST, "`getListItem(list, i)`", "`list[i]`", "[10, 2, 3][1]", "2"),
    Counterpart(_LIST, "`in(x, list)`", "`x in list`", "2 in [1, 2]", "true"),
    Counterpart(_LIST, "`intersect(a, b)`", "`intersect(a, b)`", "intersect(['a', 'b'], ['b', 'c'])", "['b']"),
    Counterpart(_LIST, "`limit(list, n)`, `limit(list, n, first)`", "the same", "limit([1, 2, 3], 2, false)", "[2, 3]"),
    Counterpart(_LIST, "`listSize(list)`", "`size(list)`", "size([1, 2])", "2"),
    Counterpart(_LIST, "`serializeList(list, sep, false)`", "`list.join(sep)`", "['a', 'b'].join(', ')", "'a, b'"),
    Counterpart(_LIST, "`serializeList(list, sep, true)`", "`list.map(x, strings.quote(x)).join(sep)`",
                "['a', 'b'].map(x, strings.quote(x)).join(',')", "'\"a\",\"b\"'"),
    Counterpart(_LIST, "`sort(list, ascending)`", "`sort(list, ascending)`", "sort([3, 1, 2], false)", "[3, 2, 1]"),
    Counterpart(_LIST, "`sort(list, key, ascending)`", "`list.sortBy(x, x.key)`, `reverse(...)`",
                "reverse(event.tokens.sortBy(t, t.token)).map(t, t.token)", "['token_3', 'token_2', 'token_1']"),
    Counterpart(_MATH, "`random()`", "", note=f"{_NO_CHANCE} Use a `split` step with `by: random`."),
    Counterpart(_MATH, "`round(x)`", "`round(x)`", "[round(3.54), round(-3.14)]", "[4, -3]"),
    Counterpart(_STRING, "`concat(a, b)`", "`a + b`", "'a' + 'b'", "'ab'"),
    Counterpart(_STRING, "`concat(list)`", "`list.join()`", "['a', 'b'].join()", "'ab'"),
    Counterpart(_STRING, "`contain(a, b)`", "`a.contains(b)`", "'abc'.contains('b')", "true"),
    Counterpart(_STRING, "`containIgnoreCase(a, b)`", "`a.containsIgnoreCase(b)`", "'aBc'.containsIgnoreCase('b')", "true"),
    Counterpart(_STRING, "`endWith(a, b)`", "`a.endsWith(b)`", "'abc'.endsWith('c')", "true"),
    Counterpart(_STRING, "`endWithIgnoreCase(a, b)`", "`a.endsWithIgnoreCase(b)`", "'abC'.endsWithIgnoreCase('c')", "true"),
    Counterpart(_STRING, "`startWith(a, b)`", "`a.startsWith(b)`", "'abc'.startsWith('a')", "true"),
    Counterpart(_STRING, "`startWithIgnoreCase(a, b)`", "`a.startsWithIgnoreCase(b)`",
                "'Abc'.startsWithIgnoreCase('a')", "true"),
    Counterpart(_STRING, "`equalIgnoreCase(a, b)`", "`a.equalsIgnoreCase(b)`", "'ABC'.equalsIgnoreCase('abc')", "true"),
    Counterpart(_STRING, "`notEqualIgnoreCase(a, b)`", "`!a.equalsIgnoreCase(b)`", "!'A'.equalsIgnoreCase('a')", "false"),
    Counterpart(_STRING, "`indexOf(a, b)`", "`a.indexOf(b)`", "'Hello'.indexOf('l')", "2"),
    Counterpart(_STRING, "`lastIndexOf(a, b)`", "`a.lastIndexOf(b)`", "'Hello'.lastIndexOf('l')", "3"),
    Counterpart(_STRING, "`isEmpty(x)`", "`isEmpty(x)`", "isEmpty('')", "true"),
    Counterpart(_STRING, "`isNotEmpty(x)`", "`isNotEmpty(x)`", "isNotEmpty('')", "false"),
    Counterpart(_STRING, "`length(x)`", "`size(x)`", "size('abc')", "3"),
    Counterpart(_STRING, "`lower(x)`, `upper(x)`", "`lower(x)`, `upper(x)`", "lower('A') + upper('b')", "'aB'"),
    Counterpart(_STRING, "`matchRegExp(x, regex)`", "`x.matches(regex)`", "'user@adobe.com'.matches('^[^@]+@adobe[.]com$')",
                "true", "It matches anywhere unless `^` and `$` bind it; no look-around and no back-references."),
    Counterpart(_STRING, "`replace(x, regex, y)`", "`regex.replace(x, regex, y, 1)`",
                "regex.replace('Hello World', 'l', 'x', 1)", "'Hexlo World'"),
    Counterpart(_STRING, "`replaceAll(x, regex, y)`", "`regex.replace(x, regex, y)`",
                "regex.replace('Hello World', 'l', 'x')", "'Hexxo Worxd'", "`x.replace(a, b)` replaces plain text."),
    Counterpart(_STRING, "`split(x, regex)`", "`regex.split(x, regex)`",
                "regex.split('20.45.2.3434', '[.]')", "['20', '45', '2', '3434']", "`x.split(a)` splits at plain text."),
    Counterpart(_STRING, "`substr(x, from, to)`", "`x.substring(from, to)`", "'Hello World'.substring(0, 5)", "'Hello'"),
    Counterpart(_STRING, "`trim(x)`", "`trim(x)`", "trim(' a ')", "'a'"),
    Counterpart(_STRING, "`uuid()`", "", note=f"{_NO_CHANCE} Use `journey.instance`, or the id of the event; calls carry "
                "an `Idempotency-Key` of their own."),
)  # fmt: skip
"""All of them, in the order of Adobe's documentation."""

EXAMPLE_NOW = "2026-06-15T12:00:00Z"
"""What `now` is in the examples."""

EXAMPLE_DATA = {
    "event": {
        "id": "o-1",
        "price": 12.5,
        "none": None,
        "tokens": [
            {"token": "token_1", "version": "1.0"},
            {"token": "token_2", "version": "1.0"},
            {"token": "token_3", "version": "2.0"},
        ],
        "stock": {"red": 4, "blue": 2},
        "audiences": ["gold"],
    },
    "steps": {"crm": {"body": {"city": "Rome"}}},
}
"""What the other variables are in the examples."""
