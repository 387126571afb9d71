"""What each code means and what to do: the text of `docs/reference/errors.md`."""

from __future__ import annotations

import sys
from typing import NamedTuple

from sojourn.definitions.codes import Code
from sojourn.definitions.problems import severity_of


class Explanation(NamedTuple):
    """One entry of the reference."""

    title: str
    meaning: str
    remedy: str


_GROUPS = (
    ("E1", "Files and YAML", "The file cannot be read, or is not YAML as Sojourn reads it."),
    ("E2", "The shape of a document", "A key or a value is not one that the format has."),
    ("E3", "Steps", "The steps of a journey do not fit together, or name what is not there."),
    ("E4", "Expressions", "An expression does not compile, or cannot work on the data that it names."),
    (
        "E5",
        "Against what is published",
        "Only publishing finds these: it compares with the versions that are published already.",
    ),
    ("W6", "Warnings", "The definition can be published all the same."),
)

EXPLANATIONS: dict[Code, Explanation] = {
    Code.UNREADABLE: Explanation(
        "The file cannot be read",
        "The operating system does not let Sojourn read it.",
        "Check its permissions.",
    ),
    Code.ENCODING: Explanation(
        "The file is not UTF-8", "It holds bytes that are no UTF-8 text.", "Save it as UTF-8 in your editor."
    ),
    Code.YAML: Explanation(
        "Broken YAML",
        "The text is not YAML. Nothing after the place is read, so names that the file defines further down may be "
        "missing elsewhere; Sojourn does not report those.",
        "Look at the line and the one before it. Most often a text needs quotes: one that holds `: ` or ` #`, begins "
        'with a quote, or stands as `${...}` inside `{ }`; write `"${...}"`.',
    ),
    Code.TAB: Explanation(
        "A tab in the indentation", "YAML is indented with spaces only.", "Replace tabs by spaces."
    ),
    Code.DUPLICATE_KEY: Explanation(
        "A key twice",
        "A mapping has the same key twice, so one of the values would be lost. Two steps with one id are this, too.",
        "Rename or remove one of them.",
    ),
    Code.ANCHOR: Explanation(
        "Anchors and aliases",
        "`&name`, `*name` are not allowed: a reader should find in its place what holds there.",
        "Write the value out. A text that begins with `&` or `*` needs quotes.",
    ),
    Code.TAG: Explanation(
        "A YAML tag",
        "`!something` before a value is a tag, and tags are not allowed. An expression that begins with `!` reads so.",
        "Put the expression in quotes: `'!event.paid'`.",
    ),
    Code.TOO_LARGE: Explanation(
        "Too large", "A file, a project or the nesting of a document exceeds its limit.", "Divide it."
    ),
    Code.NOT_A_MAPPING: Explanation(
        "A document that is no mapping",
        "Each document is a mapping of keys to values.",
        "Begin it with `event: NAME`.",
    ),
    Code.DOCUMENT_KIND: Explanation(
        "A document of no known kind",
        "The first key of a document says what it is: `event`, `source`, `action`, `profile` or `journey`.",
        "Put that key first.",
    ),
    Code.NO_PROJECT: Explanation(
        "No project",
        "The folder does not exist or holds no YAML file.",
        "Name another folder, or run `sojourn init`.",
    ),
    Code.PYTHON_FILE: Explanation(
        "A Python file that cannot be imported",
        "A file of the project that imports `action`, `source`, `journey` or `Event` from `sojourn` is imported "
        "to find what it defines. It is no Python, raised an error, ended the process, took too long, or "
        "cannot have its name. What the other files define is read all the same.",
        "Mend the line. What takes time, or needs another system, belongs into functions; what is only for running "
        'the file as a program, under `if __name__ == "__main__":`.',
    ),
    Code.UNKNOWN_KEY: Explanation(
        "An unknown key",
        "The format has no such key there.",
        "Correct it; the hint names the nearest known one.",
    ),
    Code.MISSING_KEY: Explanation(
        "A missing key", "Something that must be said is not said.", "Add the key."
    ),
    Code.WRONG_VALUE: Explanation(
        "A value that does not fit",
        "The value is of another kind than the key takes, or is none of the allowed ones.",
        "Write what the hint says. `no`, `on` and dates are texts here; numbers that are texts need quotes.",
    ),
    Code.NAME: Explanation(
        "A name that cannot be one",
        "Journeys: up to 64 lower-case letters, digits, `.`, `_`, `-`. Events, sources, actions: up to 128, upper case "
        "too. Steps: up to 64 letters, digits, `_`, `-`. Parameters and values of `set`: letters, digits and `_`.",
        "Rename it.",
    ),
    Code.DUPLICATE_NAME: Explanation(
        "A name twice",
        "Two documents define the same name. A source and an action share one set of names, "
        "and a project has one document `profile` only.",
        "Rename or remove one of them.",
    ),
    Code.DURATION: Explanation(
        "A duration that cannot be one",
        "Durations are numbers with units from the largest to the smallest: `250ms`, `30s`, `5m`, `1h30m`, `1d`, `2w`. "
        "Months and years have no fixed length and are refused, and so is a number without a unit.",
        "Write it with units; `30d` for a month.",
    ),
    Code.OUT_OF_RANGE: Explanation(
        "Out of range",
        "A number or a text is smaller or larger than allowed.",
        "Stay within the bounds in the hint.",
    ),
    Code.TIMEZONE: Explanation(
        "An unknown time zone", "Time zones have IANA names.", "Write a name such as `Europe/Paris`."
    ),
    Code.DATE: Explanation(
        "A date or a time that is none",
        "Dates are `2026-12-31`, moments `2026-12-31T18:00` in the journey's time zone or with an offset, times of day "
        "`09:00`.",
        "Write it in that form.",
    ),
    Code.URL: Explanation(
        "A URL that cannot be one",
        "A URL is whole, begins with `https://` or `http://`, has a fixed host and no `#`. `{name}` stands for a "
        "parameter in its path or query.",
        "Correct it.",
    ),
    Code.HEADER: Explanation(
        "A header that cannot be sent",
        "The name is not one of HTTP, the value has several lines, or Sojourn sets the header itself.",
        "Rename or remove it.",
    ),
    Code.JSON_SCHEMA: Explanation(
        "A JSON Schema that is none",
        "A schema is not valid JSON Schema (draft 2020-12).",
        "Correct the place named.",
    ),
    Code.REMOTE_SCHEMA: Explanation(
        "A JSON Schema elsewhere",
        "A `$ref` leads to another file or to the network. Nothing is fetched: a definition is complete.",
        "Copy the schema under `$defs`.",
    ),
    Code.ONE_OF: Explanation(
        "Not exactly one",
        "Of several keys exactly one must be there, or two exclude each other.",
        "Keep one.",
    ),
    Code.PYTHON_FUNCTION: Explanation(
        "A function that cannot be an action or a source",
        "A function with `@action.defn` or `@source.defn` has a signature that journeys cannot call: a parameter "
        "without a type, `*args`, positional-only parameters, a type that has no form in JSON, no type for what it "
        "returns; or the decorator's own settings are not right.",
        "The message says what to write. The same error is raised when the file is imported.",
    ),
    Code.SECRET: Explanation(
        "A secret in the file",
        "Credentials stand in the file: a value of `auth` that is no `{secret: NAME}`, user and password in a URL, a "
        "header such as `Authorization`, or a text that looks like a key of a known service.",
        "Set an environment variable where Sojourn runs and name it: `{secret: NAME}`. A secret that was in a file has "
        "been seen by others: replace it.",
    ),
    Code.NO_KIND: Explanation(
        "A step of no kind",
        "Exactly one key of a step says what it does.",
        "Add it, or correct its spelling.",
    ),
    Code.TWO_KINDS: Explanation(
        "A step of two kinds", "A step does one thing.", "Write two steps; they run in the order of writing."
    ),
    Code.UNKNOWN_STEP: Explanation(
        "An unknown step",
        "`next`, `else` or `on_error` names a step that the journey has not.",
        "Correct the name.",
    ),
    Code.UNKNOWN_EVENT: Explanation(
        "An unknown event",
        'No document defines the event; or `events["..."]` names one that the journey never receives.',
        "Correct the name, define the event, or wait for it.",
    ),
    Code.UNKNOWN_SOURCE: Explanation(
        "An unknown source",
        "`fetch` names a source that no document defines.",
        "Correct the name, or define it.",
    ),
    Code.UNKNOWN_ACTION: Explanation(
        "An unknown action",
        "`action` names an action that no document defines.",
        "Correct the name, or define it.",
    ),
    Code.UNKNOWN_JOURNEY: Explanation(
        "An unknown journey",
        "`jump` names a journey that neither the project has nor anybody has published.",
        "Correct the name, or publish that journey first.",
    ),
    Code.UNREACHABLE: Explanation(
        "A step that nothing reaches", "No way from the first step leads there.", "Lead to it, or remove it."
    ),
    Code.CYCLE: Explanation(
        "A loop in which no time passes",
        "Steps lead back to themselves without a `wait` or `wait_for` on the way, so an instance would spin.",
        "Put a wait into the loop.",
    ),
    Code.JUMP_LOOP: Explanation(
        "Journeys that jump in a circle", "A profile would jump for ever.", "Remove one of the jumps."
    ),
    Code.SHARES: Explanation(
        "Shares that are not 100", "The shares of a `split` make 100 together.", "Change them."
    ),
    Code.TOO_MANY_STEPS: Explanation(
        "Too many steps", "A journey has at most 50 steps (a setting).", "Divide the journey."
    ),
    Code.TWO_TIMEOUTS: Explanation(
        "Two timeouts, or one in the wrong place",
        "A `wait_for` step has one timeout, which holds for all its events.",
        "Write `timeout` once, beside `wait_for`.",
    ),
    Code.ON_ERROR: Explanation(
        "`on_error` where nothing can fail",
        "`fetch`, `action`, `update_profile`, `jump` and `condition` may have it.",
        "Remove it.",
    ),
    Code.NEXT: Explanation(
        "`next` where nothing follows",
        "Nothing comes after an `end`, and an event that restarts a wait leads nowhere.",
        "Remove it.",
    ),
    Code.MISSING_PARAMETER: Explanation(
        "A missing parameter",
        "The call leaves out a parameter that is neither `optional` nor has a `default`.",
        "Add it under `with`.",
    ),
    Code.UNKNOWN_PARAMETER: Explanation(
        "An unknown parameter",
        "`with`, or the URL of an endpoint, names a parameter that the endpoint does not declare.",
        "Correct the name, or declare it.",
    ),
    Code.EXPRESSION: Explanation(
        "An expression that does not compile", "The text is not CEL.", "Correct it at the column named."
    ),
    Code.UNKNOWN_NAME: Explanation(
        "An expression that names something unknown",
        "The name, or the field, does not exist there. Fields come from the JSON Schema of the event or response: a "
        "schema with `properties` and without `additionalProperties` has only those.",
        "Correct the name, or add it to the schema.",
    ),
    Code.WRONG_TYPE: Explanation(
        "A value of the wrong type",
        "An expression yields something else than is needed, or an operator or a parameter gets what it cannot take.",
        "Convert it, for example with `string(x)`, `double(x)` or `timestamp(x)`.",
    ),
    Code.NO_RESULT: Explanation(
        "A step without result",
        "`steps.x` names a step that is not there, or one that leaves no result: only `fetch`, `action` and `set` do. "
        'An id with a hyphen needs brackets: `steps["opted-in"]`.',
        "Correct the name.",
    ),
    Code.BRACES: Explanation(
        "Wrong braces",
        "`key`, `when` and the like are expressions without `${ }`; templates are written `${...}`, not `{{ }}`.",
        "Write it as the hint says.",
    ),
    Code.ENTRY_RULE: Explanation(
        "An entry rule of another kind",
        "Versions of a journey that profiles have entered agree in how profiles enter: once only or again, and by the "
        "profile alone or once per value. What is known of those who entered by one rule says nothing by another.",
        "Keep the rule, or publish under a new name.",
    ),
    Code.NO_ERROR_PATH: Explanation(
        "No error path", "The step calls out; if that fails, the instance ends as failed.", "Add `on_error`."
    ),
    Code.NO_TIMEOUT: Explanation(
        "A wait without a timeout",
        "It lasts until the event comes, or until the journey's timeout.",
        "Add `timeout`.",
    ),
    Code.UNKNOWN_KEYWORD: Explanation(
        "A keyword that JSON Schema does not have",
        "It has no effect.",
        "Correct it, or begin a note with `x-`.",
    ),
    Code.UNUSED_PARAMETER: Explanation(
        "A parameter that is sent nowhere", "Neither the URL nor a template uses it.", "Use it, or remove it."
    ),
    Code.NEVER_BEFORE: Explanation(
        "A result that is never there",
        "The step that leaves it never runs before the step that reads it.",
        "Change the order.",
    ),
    Code.OUTLIVES: Explanation(
        "A wait as long as the instance",
        "It takes as long as `timeout` lets the whole instance live, so it never ends by itself.",
        "Make it shorter, or the journey's `timeout` longer.",
    ),
    Code.MORE: Explanation(
        "More problems than are named",
        "Of one document, at most 100 problems are named; the others are left out.",
        "Solve those that are named first.",
    ),
    Code.JOURNEY_ELSEWHERE: Explanation(
        "A jump out of the project",
        "The journey is not in this project. Another project may have published it: publishing checks that.",
        "Correct the name if it is a slip.",
    ),
}


def errors_markdown() -> str:
    """Return the reference of all codes as Markdown: the content of `docs/reference/errors.md`."""
    lines = [
        "# Problems with definitions",
        "",
        "<!-- Made by `python -m sojourn.definitions.explanations > docs/reference/errors.md`. Do not edit. -->",
        "",
        "`sojourn validate` names each problem with file, line, column, a code, the field, what is wrong and what to",
        "write instead:",
        "",
        "```text",
        "journeys/cart.yaml:12:9: E303 steps.remind.next: There is no step `remindd` in this journey — Did you mean"
        " `reminded`?",
        "```",
        "",
        "All problems are named at once. Codes keep their meaning for ever. Those that begin with E refuse the",
        "definition, those with W are warnings.",
    ]
    for prefix, title, about in _GROUPS:
        lines += ["", f"## {title}", "", about]
        for code, explanation in EXPLANATIONS.items():
            if code.value.startswith(prefix):
                kind = " (warning)" if severity_of(code) == "warning" else ""
                lines += ["", f"### {code.value}: {explanation.title}{kind}", "", explanation.meaning]
                lines += ["", f"**What to do:** {explanation.remedy}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(errors_markdown())
