"""What is refused, and what is warned of: each with its code, place and field, and a part of what is said."""

from __future__ import annotations

from typing import NamedTuple

from tests.definitions.projects import steps


class Case(NamedTuple):
    """A definition with something wrong, and what is expected to be said of it."""

    id: str
    journey: str
    base: str
    says: str
    expected: list[str]


CASES = [
    Case(
        "unknown step",
        steps("a: {set: {x: 1}, next: bb}\nb: {end: x}"),
        "",
        "Did you mean `b`?",
        ["E303 j.yaml:4:26 steps.a.next"],
    ),
    Case(
        "next: end",
        steps("a: {set: {x: 1}, next: end}"),
        "",
        "write `done: {end: some text}`",
        ["E303 j.yaml:4:26 steps.a.next"],
    ),
    Case(
        "unknown step in else, on_error, branches",
        steps(
            "a: {condition: [{when: true, next: xx}], else: yy, on_error: zz}\n"
            "b: {split: {branches: [{share: 50, next: vv}, {share: 50}]}}\n"
            "c: {wait_for: [{event: order.placed, next: uu}], timeout: {after: 1h, next: tt}}"
        ),
        "",
        "There is no step `xx`",
        [
            "E303 j.yaml:4:38 steps.a.condition[0].next",
            "E303 j.yaml:4:50 steps.a.else",
            "E303 j.yaml:4:64 steps.a.on_error",
            "E308 j.yaml:5:3 steps.b",
            "E303 j.yaml:5:44 steps.b.split.branches[0].next",
            "E303 j.yaml:6:46 steps.c.wait_for[0].next",
            "E303 j.yaml:6:79 steps.c.timeout.next",
        ],
    ),
    Case(
        "unknown event",
        steps("a: {wait_for: [{event: order.place}], timeout: {after: 1h}}"),
        "",
        "Did you mean `order.placed`?",
        ["E304 j.yaml:4:26 steps.a.wait_for[0].event"],
    ),
    Case(
        "unknown events of entry and exit",
        ("journey: j\nentry: {event: cart.update}\nexit_when: [{event: nope}]\nsteps:\n  a: {end: x}\n"),
        "",
        "Did you mean `cart.updated`?",
        ["E304 j.yaml:2:16 entry.event", "E304 j.yaml:3:21 exit_when[0].event"],
    ),
    Case(
        "unknown source",
        steps("a: {fetch: crm.custmer, with: {id: x}}"),
        "",
        "Did you mean `crm.customer`?",
        ["E305 j.yaml:4:14 steps.a.fetch"],
    ),
    Case(
        "a source called as an action",
        steps("a: {action: crm.customer, with: {id: x}}"),
        "",
        "write `fetch: crm.customer`",
        ["E306 j.yaml:4:15 steps.a.action"],
    ),
    Case(
        "unknown action",
        steps("a: {action: sms.send}"),
        "",
        "There is no action `sms.send`",
        ["E306 j.yaml:4:15 steps.a.action"],
    ),
    Case(
        "cycle without wait",
        steps("a: {set: {x: 1}}\nb: {condition: [{when: true, next: a}], else: c}\nc: {end: x}"),
        "",
        "`a` → `b` → `a`",
        ["E309 j.yaml:5:38 steps.b.condition[0].next"],
    ),
    Case(
        "step that leads to itself",
        steps("a: {set: {x: 1}, next: a}"),
        "",
        "form a loop in which no time passes",
        ["E309 j.yaml:4:26 steps.a.next"],
    ),
    Case(
        "two cycles",
        steps(
            "a: {condition: [{when: true, next: b}, {when: true, next: c}]}\n"
            "b: {set: {x: 1}, next: a}\n"
            "c: {wait: {for: 1h}}\n"
            "d: {set: {x: 1}}\n"
            "e: {set: {x: 1}, next: d}"
        ),
        "",
        "`d` → `e` → `d`",
        ["E309 j.yaml:5:26 steps.b.next", "E309 j.yaml:8:26 steps.e.next"],
    ),
    Case(
        "step that nothing reaches",
        steps("a: {end: x}\nb: {set: {x: 1}}\nc: {end: y}"),
        "",
        "Nothing leads to the step `b`",
        ["E308 j.yaml:5:3 steps.b"],
    ),
    Case(
        "loop that nothing reaches",
        steps("a: {end: x}\nb: {wait: {for: 1h}}\nc: {wait: {for: 1h}, next: b}"),
        "",
        "Nothing leads to the step `b`",
        ["E308 j.yaml:5:3 steps.b"],
    ),
    Case(
        "shares that are not 100",
        steps("a:\n  split:\n    branches: [{share: 10, next: b}, {share: 80, next: b}]\nb: {end: x}"),
        "",
        "come to 90, not to 100",
        ["E311 j.yaml:6:17 steps.a.split.branches"],
    ),
    Case(
        "shares out of range",
        steps("a: {split: {branches: [{share: -1}, {share: 101}], by: rand}}"),
        "",
        "Write at least 0",
        [
            "E207 j.yaml:4:34 steps.a.split.branches[0].share",
            "E207 j.yaml:4:47 steps.a.split.branches[1].share",
            "E203 j.yaml:4:58 steps.a.split.by",
        ],
    ),
    Case(
        "split of one branch",
        steps("a: {split: {branches: [{share: 100}]}}"),
        "",
        "Write 2 or more",
        ["E203 j.yaml:4:25 steps.a.split.branches"],
    ),
    Case(
        "split written as a list",
        steps("a: {split: [{share: 50}, {share: 50}]}"),
        "",
        "Write split: {branches: [...]}",
        ["E203 j.yaml:4:14 steps.a.split"],
    ),
    Case(
        "expression that does not compile",
        steps("a: {condition: [{when: entry.total >, next: b}], else: b}\nb: {end: x}"),
        "",
        "ends too early",
        ["E401 j.yaml:4:39 steps.a.condition[0].when"],
    ),
    Case(
        "expression with an unknown field",
        steps("a:\n  condition:\n    - when: entry.totl > 5\n      next: b\n  else: b\nb: {end: x}"),
        "",
        "Did you mean `total`?",
        ["E402 j.yaml:6:21 steps.a.condition[0].when"],
    ),
    Case(
        "expression with an unknown name",
        steps("a: {condition: [{when: foo == 1, next: b}], else: b}\nb: {end: x}"),
        "",
        "`foo` is not known here",
        ["E402 j.yaml:4:26 steps.a.condition[0].when"],
    ),
    Case(
        "condition that yields a number",
        steps("a: {condition: [{when: entry.total + 5, next: b}], else: b}\nb: {end: x}"),
        "",
        "A bool is needed here",
        ["E403 j.yaml:4:38 steps.a.condition[0].when"],
    ),
    Case(
        "operator on the wrong types",
        steps("a: {condition: [{when: entry.total > 'a', next: b}], else: b}\nb: {end: x}"),
        "",
        "`>` does not fit",
        ["E403 j.yaml:4:38 steps.a.condition[0].when"],
    ),
    Case(
        "expression on a later line of a block",
        steps(
            "a:\n"
            "  condition:\n"
            "    - when: |\n"
            "        entry.total > 5 &&\n"
            "        entry.totl < 3\n"
            "  else: b\n"
            "b: {end: x}"
        ),
        "",
        "Did you mean `total`?",
        ["E402 j.yaml:8:17 steps.a.condition[0].when"],
    ),
    Case(
        "template that is not closed",
        steps('a: {set: {x: "abc ${entry.total"}}'),
        "",
        "`${` is not closed",
        ["E401 j.yaml:4:21 steps.a.set.x"],
    ),
    Case(
        "template with an unknown field",
        steps('a: {end: "got ${entry.nope} and ${entry.total}"}'),
        "",
        "has no field `nope`",
        ["E402 j.yaml:4:25 steps.a.end"],
    ),
    Case(
        "missing parameter",
        steps("a: {action: email.send, with: {to: x}}"),
        "",
        "needs the parameter `template`",
        ["E316 j.yaml:4:27 steps.a.with"],
    ),
    Case(
        "missing parameters without with",
        steps("a: {fetch: crm.customer}"),
        "",
        "needs the parameter `id`",
        ["E316 j.yaml:4:7 steps.a.fetch"],
    ),
    Case(
        "unknown parameter",
        steps("a: {action: email.send, with: {to: x, template: cart, dta: {}}}"),
        "",
        "Did you mean `data`?",
        ["E317 j.yaml:4:57 steps.a.with.dta"],
    ),
    Case(
        "parameters of the wrong type",
        steps(
            'a: {action: email.send, with: {to: "${entry.total}", template: "${entry.items}", data: {x: "${entry.nope}"}}}'
        ),
        "",
        "A string is needed here, and `entry.total` is a number",
        [
            "E403 j.yaml:4:47 steps.a.with.to",
            "E403 j.yaml:4:75 steps.a.with.template",
            "E402 j.yaml:4:103 steps.a.with.data.x",
        ],
    ),
    Case(
        "constants of the wrong type",
        steps('a: {action: email.send, with: {to: 5, template: carts, data: "x"}}'),
        "",
        'is not one of "cart" or "welcome"',
        [
            "E403 j.yaml:4:38 steps.a.with.to",
            "E403 j.yaml:4:51 steps.a.with.template",
            "E403 j.yaml:4:64 steps.a.with.data",
        ],
    ),
    Case(
        "two timeouts",
        steps(
            "a:\n"
            "  wait_for:\n"
            "    - {event: order.placed, timeout: 1h}\n"
            "    - {event: cart.updated, timeout: {after: 2h}}"
        ),
        "",
        "The step has two timeouts",
        ["E313 j.yaml:6:31 steps.a.wait_for[0].timeout", "E313 j.yaml:7:31 steps.a.wait_for[1].timeout"],
    ),
    Case(
        "timeout at an event and at the step",
        steps("a:\n  wait_for:\n    - {event: order.placed, timeout: 1h}\n  timeout: {after: 2h}"),
        "",
        "The step has two timeouts",
        ["E313 j.yaml:6:31 steps.a.wait_for[0].timeout"],
    ),
    Case(
        "timeout at an event",
        steps("a:\n  wait_for:\n    - {event: order.placed, timeout: 1h}"),
        "",
        "it holds for the step",
        ["E313 j.yaml:6:31 steps.a.wait_for[0].timeout"],
    ),
    Case(
        "timeout twice",
        steps("a:\n  wait_for: [{event: order.placed}]\n  timeout: {after: 1h}\n  timeout: {after: 2h}"),
        "",
        "stands twice",
        ["E105 j.yaml:7:5 steps.a.timeout"],
    ),
    Case(
        "timeout where none is",
        steps("a: {fetch: crm.customer, with: {id: x}, timeout: 5s}"),
        "",
        "`call_timeout` of the journey",
        ["E201 j.yaml:4:43 steps.a.timeout"],
    ),
    Case(
        "two kinds",
        steps("a: {fetch: crm.customer, end: x}"),
        "",
        "`fetch` and `end`",
        ["E302 j.yaml:4:3 steps.a"],
    ),
    Case(
        "no kind",
        steps("a: {fetchh: crm.customer}\nb: {next: a}"),
        "",
        "Did you mean `fetch`?",
        ["E301 j.yaml:4:7 steps.a.fetchh", "E301 j.yaml:5:3 steps.b"],
    ),
    Case(
        "step that is no mapping",
        steps("a: hello\nb:"),
        "",
        "A step must be a mapping, not the text 'hello'",
        ["E203 j.yaml:4:6 steps.a", "E203 j.yaml:5:5 steps.b"],
    ),
    Case(
        "on_error where it is not allowed",
        steps("a: {wait: {for: 1h}, on_error: b}\nb: {end: x}"),
        "",
        "A `wait` step has no `on_error`",
        ["E314 j.yaml:4:24 steps.a.on_error"],
    ),
    Case(
        "on_error at an end",
        steps("a: {end: x, on_error: a}"),
        "",
        "An `end` step has no `on_error`",
        ["E314 j.yaml:4:15 steps.a.on_error"],
    ),
    Case(
        "next after an end",
        steps("a: {end: x, next: a}"),
        "",
        "Nothing comes after an `end` step",
        ["E315 j.yaml:4:15 steps.a.next"],
    ),
    Case(
        "restart that leads somewhere",
        steps(
            "a: {wait_for: [{event: order.placed}, {event: cart.updated, restart: true, next: a}], timeout: {after: 1h}}"
        ),
        "",
        "leads nowhere",
        ["E315 j.yaml:4:78 steps.a.wait_for[1].next"],
    ),
    Case(
        "nothing but restarts",
        steps("a: {wait_for: [{event: order.placed, restart: true}], timeout: {after: 1h}}"),
        "",
        "none ends it",
        ["E203 j.yaml:4:17 steps.a.wait_for"],
    ),
    Case(
        "restart without timeout",
        steps("a: {wait_for: [{event: order.placed}, {event: cart.updated, restart: true}]}"),
        "",
        "no timeout whose timer",
        ["E202 j.yaml:4:63 steps.a.wait_for[1].restart"],
    ),
    Case(
        "more than 50 steps",
        steps("\n".join(f"s{i}: {{set: {{x: 1}}}}" for i in range(51))),
        "",
        "has 51 steps; at most 50",
        ["E312 j.yaml:3:1 steps"],
    ),
    Case(
        "the same step twice",
        steps("a: {set: {x: 1}}\na: {end: y}"),
        "",
        "first on line 4",
        ["E105 j.yaml:5:3 steps.a"],
    ),
    Case(
        "times of day and dates with mistakes",
        steps(
            "a: {time_condition: {hours: 09:00-18:00, days: [monday]}, else: b}\n"
            "b: {time_condition: {dates: {from: x, to: 2026-01-01}}}\n"
            "c: {time_condition: {dates: {from: 2026-02-01, to: 2026-01-01}}}\n"
            "d: {time_condition: {}}\n"
            "e: {time_condition: {dates: {}}}\n"
            "f: {wait: {until_time: 9am}}\n"
            "g: {wait: {for: 1h, on: [mon]}}\n"
            "h: {wait: {until_time: '09:00', for: 1h}}"
        ),
        "",
        "The last day is before the first",
        [
            "E203 j.yaml:4:51 steps.a.time_condition.days[0]",
            "E209 j.yaml:5:38 steps.b.time_condition.dates.from",
            "E209 j.yaml:6:54 steps.c.time_condition.dates.to",
            "E202 j.yaml:7:7 steps.d.time_condition",
            "E202 j.yaml:8:31 steps.e.time_condition.dates",
            "E209 j.yaml:9:26 steps.f.wait.until_time",
            "E214 j.yaml:10:23 steps.g.wait.on",
            "E214 j.yaml:11:14 steps.h.wait.until_time",
        ],
    ),
    Case(
        "hours of which YAML or the author thinks otherwise",
        steps(
            "a: {time_condition: {hours: 9-18}}\n"
            "b: {time_condition: {hours: 900}}\n"
            "c: {time_condition: {hours: 09:00-09:00}}\n"
            "d: {time_condition: {hours: []}}\n"
            "e: {time_condition: {hours: [09:00-12:00, 25:00-26:00]}}\n"
            "f: {time_condition: {hours: [{09:00: 12:00}]}}\n"
            "g: {wait: {until_time: 0900}}\n"
            "h: {wait: {until_time: 24:00}}\n"
            "i: {wait: {until_time: 09:00:00}}\n"
            "k: {wait: {until_time: '${entry.time}'}}"
        ),
        "",
        'Write "00:00-24:00" for the whole day',
        [
            "E209 j.yaml:4:31 steps.a.time_condition.hours",
            "E209 j.yaml:5:31 steps.b.time_condition.hours",
            "E209 j.yaml:6:31 steps.c.time_condition.hours",
            "E209 j.yaml:7:31 steps.d.time_condition.hours",
            "E209 j.yaml:8:31 steps.e.time_condition.hours",
            "E209 j.yaml:9:31 steps.f.time_condition.hours",
            "E209 j.yaml:10:26 steps.g.wait.until_time",
            "E209 j.yaml:11:26 steps.h.wait.until_time",
            "E209 j.yaml:12:26 steps.i.wait.until_time",
            "E209 j.yaml:13:26 steps.k.wait.until_time",
        ],
    ),
    Case(
        "times longer than allowed",
        steps(
            "a: {wait: {for: 91d}}\nb: {wait_for: [{event: order.placed}], timeout: {after: 2161h}}\nc: {wait: {for: 90d}}",
            "timeout: 92d",
        ),
        "",
        "A wait takes at most 90 days",
        [
            "E207 j.yaml:3:10 timeout",
            "E207 j.yaml:5:19 steps.a.wait.for",
            "E207 j.yaml:6:59 steps.b.timeout.after",
        ],
    ),
    Case(
        "jump to an unknown journey",
        steps("a: {jump: jj, on_error: b}\nb: {end: x}"),
        "",
        "Did you mean `j`?",
        ["W609 j.yaml:4:13 steps.a.jump"],
    ),
    Case(
        "jump to itself",
        steps("a: {jump: j}"),
        "",
        "The journey jumps to itself",
        ["E310 j.yaml:4:13 steps.a.jump"],
    ),
    Case(
        "step without result",
        steps('a: {set: {x: "${steps.w.x}"}}\nw: {wait: {for: 1h}}'),
        "",
        "it is a `wait` step",
        ["E404 j.yaml:4:25 steps.a.set.x"],
    ),
    Case(
        "unknown step in an expression",
        steps('a: {set: {x: "${steps.nope.x}"}}'),
        "",
        "There is no step `nope`",
        ["E404 j.yaml:4:25 steps.a.set.x"],
    ),
    Case(
        "unknown value of a step",
        steps('a: {set: {total: 1}}\nb: {set: {x: "${steps.a.totl}"}}'),
        "",
        "Did you mean `total`?",
        ["E402 j.yaml:5:27 steps.b.set.x"],
    ),
    Case(
        "hyphen read as minus",
        steps('my-set: {set: {x: 1}}\nb: {set: {x: "${steps.my-set.x}"}}'),
        "",
        'Write steps["my-set"].',
        ["E404 j.yaml:5:25 steps.b.set.x"],
    ),
    Case(
        "event where none arrives",
        steps('a: {set: {x: "${event.total}"}}'),
        "",
        "Use `entry`",
        ["E402 j.yaml:4:19 steps.a.set.x"],
    ),
    Case(
        "field of an event in another case",
        steps(
            "a: {wait_for: [{event: order.placed, when: event.cartID == entry.cartId}], timeout: {after: 1h}}"
        ),
        "",
        "Did you mean `cartId`?",
        ["E402 j.yaml:4:52 steps.a.wait_for[0].when"],
    ),
    Case(
        "event that never arrives",
        steps("a: {set: {x: \"${events['order.placed']}\"}}"),
        "",
        "never receives the event",
        ["E304 j.yaml:4:27 steps.a.set.x"],
    ),
    Case(
        "event with a dot outside brackets",
        steps('a: {set: {x: "${events.cart.updated}"}}'),
        "",
        'events["cart.updated"]',
        ["E304 j.yaml:4:26 steps.a.set.x"],
    ),
    Case(
        "event that is not there",
        steps("a: {set: {x: \"${events['nope']}\"}}"),
        "",
        "There is no event `nope`",
        ["E304 j.yaml:4:27 steps.a.set.x"],
    ),
    Case(
        "braces around an expression",
        steps('a: {condition: [{when: "${entry.total > 5}"}]}'),
        "",
        "Write it without the braces: entry.total > 5",
        ["E405 j.yaml:4:26 steps.a.condition[0].when"],
    ),
    Case(
        "braces of other template languages",
        steps('a: {set: {x: "{{ entry.total }}"}}'),
        "",
        "Templates are written ${...}",
        ["E405 j.yaml:4:16 steps.a.set.x"],
    ),
    Case(
        "wait for a text",
        steps('a: {wait: {for: "${entry.cartId}"}}'),
        "",
        "Write duration(text)",
        ["E403 j.yaml:4:28 steps.a.wait.for"],
    ),
    Case(
        "wait until a number",
        steps('a: {wait: {until: "${entry.total}"}}'),
        "",
        "A string or a timestamp is needed here",
        ["E403 j.yaml:4:30 steps.a.wait.until"],
    ),
    Case(
        "timeout after a text",
        steps('a: {wait_for: [{event: order.placed}], timeout: {after: "${entry.cartId}"}}'),
        "",
        "a duration is needed here",
        ["E403 j.yaml:4:68 steps.a.timeout.after"],
    ),
    Case(
        "text around a duration",
        steps('a: {wait: {for: "in ${entry.total}"}}'),
        "",
        "Leave out all but the ${...}",
        ["E403 j.yaml:4:19 steps.a.wait.for"],
    ),
    Case(
        "wait until no date",
        steps("a: {wait: {until: tomorrow}}"),
        "",
        "This is no date",
        ["E209 j.yaml:4:21 steps.a.wait.until"],
    ),
    Case(
        "wait for two things",
        steps('a: {wait: {for: 1h, until: "${now}"}}'),
        "",
        "`for` and `until`",
        ["E214 j.yaml:4:23 steps.a.wait.until"],
    ),
    Case(
        "wait for nothing",
        steps("a: {wait: {}}"),
        "",
        "does not say how long",
        ["E202 j.yaml:4:7 steps.a.wait"],
    ),
    Case(
        "wait written short",
        steps("a: {wait: 1h}"),
        "",
        "Write wait: {for: 1h}",
        ["E203 j.yaml:4:13 steps.a.wait"],
    ),
    Case(
        "no duration",
        steps("a: {wait: {for: 1 hour}}"),
        "",
        "'1 hour' is not a duration",
        ["E206 j.yaml:4:19 steps.a.wait.for"],
    ),
    Case(
        "duration without unit",
        steps("a: {wait: {for: 3}}"),
        "",
        "The duration 3 has no unit",
        ["E206 j.yaml:4:19 steps.a.wait.for"],
    ),
    Case(
        "duration in months",
        steps("a: {wait: {for: 2mo}}"),
        "",
        "Months and years have no fixed length",
        ["E206 j.yaml:4:19 steps.a.wait.for"],
    ),
    Case(
        "duration of nothing",
        steps("a: {wait: {for: 0s}}"),
        "",
        "longer than nothing",
        ["E206 j.yaml:4:19 steps.a.wait.for"],
    ),
    Case(
        "duration out of order",
        steps("a: {wait: {for: 1m1h}}"),
        "",
        "out of order",
        ["E206 j.yaml:4:19 steps.a.wait.for"],
    ),
    Case(
        "unknown key of a step",
        steps("a: {set: {x: 1}, lbl: 3}"),
        "",
        "Did you mean `label`?",
        ["E201 j.yaml:4:20 steps.a.lbl"],
    ),
    Case(
        "number in the place of a text",
        steps("a: {end: 5}"),
        "",
        'Put it in quotes: "5".',
        ["E203 j.yaml:4:12 steps.a.end"],
    ),
    Case(
        "id of a step",
        steps("a b: {end: x}"),
        "",
        "cannot be the id of a step",
        ["E204 j.yaml:4:3 steps.a b"],
    ),
    Case(
        "name of a value",
        steps("a: {set: {a-b: 1}}"),
        "",
        "cannot be the name of a value",
        ["E204 j.yaml:4:13 steps.a.set.a-b"],
    ),
    Case(
        "name of a journey",
        ("journey: My Journey\nentry: {event: cart.updated}\nsteps:\n  a: {end: x}\n"),
        "",
        "cannot be the name of a journey",
        ["E204 j.yaml:1:10 journey"],
    ),
    Case(
        "name that is no text",
        ("journey: [a]\nentry: {event: cart.updated}\nsteps:\n  a: {end: x}\n"),
        "",
        "must be a text, not a list",
        ["E203 j.yaml:1:10 journey"],
    ),
    Case(
        "no steps",
        ("journey: j\nentry: cart.updated\n"),
        "",
        "The journey has no steps",
        ["E202 j.yaml:1:1 steps", "E203 j.yaml:2:8 entry"],
    ),
    Case(
        "steps as a list",
        ("journey: j\nentry: {event: cart.updated}\nsteps: [a]\n"),
        "",
        "`steps` must be a mapping, not a list",
        ["E203 j.yaml:3:8 steps"],
    ),
    Case(
        "no entry",
        ("journey: j\nsteps:\n  a: {end: x}\n"),
        "",
        "The key `entry` is missing",
        ["E202 j.yaml:1:1 entry"],
    ),
    Case(
        "time zone",
        steps("a: {end: x}", "timezone: Europe/Pariss"),
        "",
        "Did you mean `Europe/Paris`?",
        ["E208 j.yaml:3:11 timezone"],
    ),
    Case(
        "call_timeout too long",
        steps("a: {end: x}", "call_timeout: 31s"),
        "",
        "from 1 s to 30 s",
        ["E207 j.yaml:3:15 call_timeout"],
    ),
    Case(
        "call_timeout too short",
        steps("a: {end: x}", "call_timeout: 900ms"),
        "",
        "from 1 s to 30 s",
        ["E207 j.yaml:3:15 call_timeout"],
    ),
    Case(
        "dates of a journey",
        steps("a: {end: x}", ("start: 2026-13-01\nend: soon")),
        "",
        "This is no date",
        ["E209 j.yaml:3:8 start", "E209 j.yaml:4:6 end"],
    ),
    Case(
        "journey that ends before it starts",
        steps("a: {end: x}", ("start: 2026-12-02\nend: 2026-12-01")),
        "",
        "ends before it starts",
        ["E209 j.yaml:4:6 end"],
    ),
    Case(
        "several problems of a head",
        steps("a: {end: x}", ("timeout: 1y\nreentry: {allow: yes, after: 5}\nexit_wen: []\nname: x")),
        "",
        "Did you mean `exit_when`?",
        [
            "E206 j.yaml:3:10 timeout",
            "E203 j.yaml:4:18 reentry.allow",
            "E206 j.yaml:4:30 reentry.after",
            "E201 j.yaml:5:1 exit_wen",
            "E201 j.yaml:6:1 name",
        ],
    ),
    Case(
        "expressions of a head",
        steps(
            "a: {end: x}",
            ('timezone: "${entry.total}"\nexit_when: [{event: order.placed, when: event.total}]'),
        ),
        "",
        "A bool is needed here",
        ["E403 j.yaml:3:20 timezone", "E403 j.yaml:4:47 exit_when[0].when"],
    ),
    Case(
        "label that is too long",
        steps(f"a: {{end: x, label: {'x' * 201}}}"),
        "",
        "at most 200 characters",
        ["E207 j.yaml:4:22 steps.a.label"],
    ),
    Case(
        "unknown kind of document",
        "",
        ("events: e\nkey: event.x\n"),
        "Did you mean `event`?",
        ["E110 base.yaml:1:1 events"],
    ),
    Case(
        "kind that is not first",
        "",
        ("description: x\nevent: e\nkey: event.x\n"),
        "Move `event: ...` to the top",
        ["E110 base.yaml:1:1 description"],
    ),
    Case(
        "documents that are no mappings",
        "",
        ("- a\n---\n5\n---\n{}\n"),
        "A document must be a mapping, not a list",
        ["E109 base.yaml:1:1", "E109 base.yaml:3:1", "E109 base.yaml:5:1"],
    ),
    Case(
        "the same event twice",
        "",
        ("event: e\nkey: event.x\n---\nevent: e\nkey: event.x\n"),
        "another event with the name `e`, in base.yaml, line 1",
        ["E205 base.yaml:4:8 event"],
    ),
    Case(
        "a source and an action of one name",
        "",
        ("action: a\nurl: https://x.example.com/\n---\nsource: a\nurl: https://x.example.com/\n"),
        "There is an action with the name `a`",
        ["E205 base.yaml:4:9 source"],
    ),
    Case(
        "event without key",
        "",
        ("event: e e\nwhen: 5\n"),
        "The key `key` is missing",
        ["E202 base.yaml:1:1 key", "E204 base.yaml:1:8 event", "E203 base.yaml:2:7 when"],
    ),
    Case(
        "key that names something else",
        "",
        ("event: e\nkey: evnt.x\n"),
        "Did you mean `event`?",
        ["E402 base.yaml:2:6 key"],
    ),
    Case(
        "key that is a list",
        "",
        ("event: e\nkey: event.items\nschema: {properties: {items: {type: array}}}\n"),
        "A number or a string is needed here",
        ["E403 base.yaml:2:12 key"],
    ),
    Case(
        "rule that is no condition",
        "",
        ("event: e\nkey: event.x\nwhen: event.x\nschema: {properties: {x: {type: string}}}\n"),
        "A bool is needed here",
        ["E403 base.yaml:3:13 when"],
    ),
    Case(
        "rule that names the journey",
        "",
        ("event: e\nkey: event.x\nwhen: entry.x == 1\n"),
        "`entry` is not known here",
        ["E402 base.yaml:3:7 when"],
    ),
    Case(
        "schema that is none",
        "",
        (
            "event: e\n"
            "key: event.x\n"
            "schema: {type: objct, required: x, properties: {x: {type: string, pattern: '('}}}\n"
        ),
        "There is no type `objct`",
        [
            "E212 base.yaml:3:16 schema.type",
            "E212 base.yaml:3:33 schema.required",
            "E212 base.yaml:3:76 schema.properties.x.pattern",
        ],
    ),
    Case(
        "schema elsewhere",
        "",
        ("event: e\nkey: event.x\nschema: {properties: {x: {$ref: 'https://schemas.example.com/x.json'}}}\n"),
        "nothing is fetched",
        ["E213 base.yaml:3:33 schema.properties.x.$ref"],
    ),
    Case(
        "schema that refers to nothing",
        "",
        ("event: e\nkey: event.x\nschema: {properties: {x: {$ref: '#/$defs/x'}}}\n"),
        "There is no `#/$defs/x` in this schema",
        ["E212 base.yaml:3:33 schema.properties.x.$ref"],
    ),
    Case(
        "schema of an unknown dialect",
        "",
        ("event: e\nkey: event.x\nschema: {$schema: 'https://example.com/mine'}\n"),
        "The JSON Schema cannot be used",
        ["E212 base.yaml:3:9 schema"],
    ),
    Case(
        "unknown keys of an event",
        "",
        ("event: e\nkey: event.x\nname: x\nfoo: 1\n"),
        "Known keys are `event`, `description`, `key`, `when`, `schema`.",
        ["E201 base.yaml:3:1 name", "E201 base.yaml:4:1 foo"],
    ),
    Case(
        "url without scheme",
        "",
        ("action: a\nurl: x.example.com/y\n"),
        "does not begin with https://",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "url of another scheme",
        "",
        ("action: a\nurl: ftp://x.example.com\n"),
        "does not begin with https://",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "no name of a Python function",
        "",
        ("action: a\npython: actions.send\n"),
        "names no Python function",
        ["E203 base.yaml:2:9 python"],
    ),
    Case(
        "a Python function with a url",
        "",
        ("source: a\npython: actions:look\nurl: https://x.example.com/\nquery: {a: b}\n"),
        "says how a request is made, and this source is a Python function",
        ["E214 base.yaml:3:1 url", "E214 base.yaml:4:1 query"],
    ),
    Case(
        "credentials in a url",
        "",
        ("action: a\nurl: https://bob:hunter2@x.example.com/\n"),
        "holds a user name or a password",
        ["E215 base.yaml:2:6 url"],
    ),
    Case(
        "key in a url",
        "",
        ("action: a\nurl: 'https://x.example.com/?api_key=abc123'\n"),
        "`api_key` of the URL looks like a secret",
        ["E215 base.yaml:2:6 url"],
    ),
    Case(
        "template in a url",
        "",
        ("action: a\nurl: 'https://x.example.com/${id}'\n"),
        "Write {name} for a parameter",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "unknown parameter in a url",
        "",
        ("action: a\nurl: https://x.example.com/{nope}\n"),
        "The URL names `nope`",
        ["E317 base.yaml:2:6 url"],
    ),
    Case(
        "space in a url",
        "",
        ("action: a\nurl: 'https://x.example.com/a b'\n"),
        "Write %20 for a space",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "fragment of a url",
        "",
        ("action: a\nurl: https://x.example.com/a#b\n"),
        "is never sent",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "port of a url",
        "",
        ("action: a\nurl: https://x.example.com:99999/\n"),
        "This is no URL",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "host from a parameter",
        "",
        ("action: a\nurl: https://{h}.example.com/\nparameters: {h: {type: string}}\n"),
        "The host of a URL cannot come from a parameter",
        ["E210 base.yaml:2:6 url"],
    ),
    Case(
        "headers",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "headers:\n"
            "  Authorization: Bearer abc\n"
            "  X-Api-Key: abc\n"
            "  Host: x\n"
            "  Bad Name: y\n"
            "  X-A: '1'\n"
            "  x-a: '2'\n"
            '  Z: "a\\nb"\n'
            "  Good: {secret: NAME}\n"
            "  Idempotency-Key: x\n"
        ),
        "The header `Authorization` carries credentials",
        [
            "E215 base.yaml:4:18 headers.Authorization",
            "E215 base.yaml:5:14 headers.X-Api-Key",
            "E211 base.yaml:6:3 headers.Host",
            "E211 base.yaml:7:3 headers.Bad Name",
            "E211 base.yaml:9:3 headers.x-a",
            "E211 base.yaml:10:6 headers.Z",
            "E211 base.yaml:12:3 headers.Idempotency-Key",
        ],
    ),
    Case(
        "header that is a number",
        "",
        ("action: a\nurl: https://x.example.com/\nheaders: {Y: 5}\n"),
        'Put it in quotes: "5".',
        ["E203 base.yaml:3:14 headers.Y"],
    ),
    Case(
        "token in the file",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: bearer, token: abc}\n"),
        "Write {secret: SOME_NAME}",
        ["E215 base.yaml:3:29 auth.token"],
    ),
    Case(
        "password in the file",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: basic, username: bob, password: hunter2}\n"),
        "A secret is written into the file",
        ["E215 base.yaml:3:46 auth.password"],
    ),
    Case(
        "key in the file",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: api_key, header: X-Key, value: abc}\n"),
        "A secret is written into the file",
        ["E215 base.yaml:3:45 auth.value"],
    ),
    Case(
        "client secret in the file",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: oauth2, token_url: 'https://t.example.com/', client_id: x, client_secret: abc}\n"
        ),
        "A secret is written into the file",
        ["E215 base.yaml:3:88 auth.client_secret"],
    ),
    Case(
        "token parameters that have keys of their own, or hold a secret",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth:\n"
            "  {type: oauth2, token_url: 'https://t.example.com/', client_id: x, client_secret: {secret: S},\n"
            "   parameters: {resource: r, otp: {secret: O}, scope: a, password: b}}\n"
        ),
        "Write auth.scope instead.",
        ["E201 base.yaml:5:48 auth.parameters.scope", "E215 base.yaml:5:68 auth.parameters.password"],
    ),
    Case(
        "template in the place of a secret",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: bearer, token: '${env.TOKEN}'}\n"),
        "A secret is written into the file",
        ["E215 base.yaml:3:29 auth.token"],
    ),
    Case(
        "name of a secret",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: bearer, token: {secret: 'no name'}}\n"),
        "not the name of a secret",
        ["E215 base.yaml:3:29 auth.token"],
    ),
    Case(
        "name of a secret that is a number",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: bearer, token: {secret: 5}}\n"),
        "must be a text",
        ["E203 base.yaml:3:38 auth.token.secret"],
    ),
    Case(
        "unknown type of auth",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: bearrer}\n"),
        "Did you mean `bearer`?",
        ["E203 base.yaml:3:7 auth"],
    ),
    Case(
        "auth without type",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {token: {secret: X}}\n"),
        "The key `type` is missing",
        ["E202 base.yaml:3:1 auth"],
    ),
    Case(
        "auth that is a text",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: bearer\n"),
        "must be a mapping",
        ["E203 base.yaml:3:7 auth"],
    ),
    Case(
        "api key in no place",
        "",
        ("action: a\nurl: https://x.example.com/\nauth: {type: api_key, value: {secret: X}}\n"),
        "exactly one of `header` or `query`",
        ["E214 base.yaml:3:1 auth"],
    ),
    Case(
        "api key in two places",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: api_key, header: H, query: q, value: {secret: X}}\n"
        ),
        "and has 2",
        ["E214 base.yaml:3:1 auth"],
    ),
    Case(
        "unknown key of auth",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: basic, usernam: bob, password: {secret: P}}\n"
        ),
        "Did you mean `username`?",
        ["E202 base.yaml:3:1 auth.username", "E201 base.yaml:3:21 auth.usernam"],
    ),
    Case(
        "token url with credentials",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: oauth2, token_url: 'https://u:p@t.example.com', client_id: x, client_secret: {secret: S}}\n"
        ),
        "holds a user name",
        ["E215 base.yaml:3:33 auth.token_url"],
    ),
    Case(
        "custom auth",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: custom, token_url: 'https://t.example.com/{x}', body: {client_secret: abc}, form: {a: b}, send: {header: X, query: y}}\n"
        ),
        "`client_secret` looks like a secret",
        [
            "E210 base.yaml:3:33 auth.token_url",
            "E215 base.yaml:3:84 auth.body.client_secret",
            "E214 base.yaml:3:90 auth.form",
            "E214 base.yaml:3:104 auth.send",
        ],
    ),
    Case(
        "custom auth by get",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: custom, token_url: 'https://t.example.com/', method: GET, body: {a: b}}\n"
        ),
        "A GET request has no body",
        ["E214 base.yaml:3:67 auth.method"],
    ),
    Case(
        "source that changes something",
        "",
        (
            "source: s\n"
            "url: https://x.example.com/\n"
            "method: PUT\n"
            "throttle: {calls: 1, per: 1s}\n"
            "cap: {calls: 0, per: 0s}\n"
            "form: {a: [1]}\n"
            "body: {x: 1}\n"
        ),
        "A source only looks up",
        [
            "E203 base.yaml:3:9 method",
            "E201 base.yaml:4:1 throttle",
            "E207 base.yaml:5:14 cap.calls",
            "E206 base.yaml:5:22 cap.per",
            "E203 base.yaml:6:11 form.a",
        ],
    ),
    Case(
        "action by get with a body",
        "",
        ("action: a\nurl: https://x.example.com/\nmethod: GET\nbody: {x: 1}\ncache: 1m\n"),
        "A GET request has no body",
        ["E214 base.yaml:4:1 body", "E201 base.yaml:5:1 cache"],
    ),
    Case(
        "two bodies",
        "",
        ("action: a\nurl: https://x.example.com/\nbody: {x: 1}\nform: {x: 1}\n"),
        "one body, `body` or `form`",
        ["E214 base.yaml:4:1 form"],
    ),
    Case(
        "parameters",
        "",
        ("action: a\nurl: https://x.example.com/\nparameters:\n  bad-name: {type: string}\n  f: string\n"),
        "cannot be the name of a value",
        ["E204 base.yaml:4:3 parameters.bad-name", "E203 base.yaml:5:6 parameters.f"],
    ),
    Case(
        "schemas of parameters",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/{o}\n"
            "parameters:\n"
            "  o: {type: string, optional: true}\n"
            "  d: {type: integer, default: x}\n"
            "  e: {type: strin}\n"
            "  g: {type: string, optional: 5}\n"
        ),
        "so it cannot be optional",
        [
            "E203 base.yaml:4:31 parameters.o.optional",
            "E203 base.yaml:5:31 parameters.d.default",
            "E212 base.yaml:6:13 parameters.e.type",
            "E203 base.yaml:7:31 parameters.g.optional",
        ],
    ),
    Case(
        "templates of an endpoint",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "parameters: {o: {type: string}}\n"
            "body: {a: '${oo}', b: '${o.x}', c: '${'}\n"
            "query: {q: '${entry.x}', x: [1]}\n"
        ),
        "Did you mean `o`?",
        [
            "E402 base.yaml:4:14 body.a",
            "E402 base.yaml:4:28 body.b",
            "E401 base.yaml:4:37 body.c",
            "E203 base.yaml:5:29 query.x",
        ],
    ),
    Case(
        "secrets in a body and a query",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "body: {password: abc, nested: [{api_key: abc}]}\n"
            "query: {token: {secret: T}, appid: abc}\n"
        ),
        "`password` looks like a secret",
        [
            "E215 base.yaml:3:18 body.password",
            "E215 base.yaml:3:42 body.nested[0].api_key",
            "E215 base.yaml:4:36 query.appid",
        ],
    ),
    Case(
        "text that looks like a secret",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "description: key is AKIAIOSFODNN7EXAMPLE\n"
            "body: {x: sk_live_abcdefghijklmnop}\n"
        ),
        "looks like a secret written into the file",
        ["E215 base.yaml:3:14 description", "E215 base.yaml:4:11 body.x"],
    ),
    Case(
        "response that is no schema",
        "",
        ("action: a\nurl: https://x.example.com/\nresponse: {type: objct}\n"),
        "There is no type `objct`",
        ["E212 base.yaml:3:18 response.type"],
    ),
    Case(
        "broken yaml",
        "",
        ("event: e\nkey: [\n"),
        "A value is missing",
        ["E103 base.yaml:2:7"],
    ),
    Case(
        "tab",
        "",
        ("event: e\n\tkey: event.x\n"),
        "Indent with spaces",
        ["E104 base.yaml:2:1"],
    ),
    Case(
        "alias",
        "",
        ("event: e\nkey: &k event.x\nwhen: *k\n"),
        "Anchors (&name) are not allowed",
        ["E106 base.yaml:2:6 key", "E106 base.yaml:3:7 when"],
    ),
    Case(
        "tag",
        "",
        ("event: e\nkey: event.x\nwhen: !event.paid\n"),
        "'!event.paid'",
        ["E107 base.yaml:3:7 when"],
    ),
    Case(
        "nesting",
        "",
        "event: e\nkey: event.x\nschema: " + "{properties: {a: " * 40 + "{}" + "}}" * 40,
        "more than 64 levels deep",
        [
            "E108 base.yaml:3:549 schema.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.properties.a.prop..."
        ],
    ),
    Case(
        "half a character",
        "",
        ("event: \ud800\n"),
        "half a character",
        ["E102 base.yaml:1:1"],
    ),
    Case(
        "number that json has not",
        "",
        ("event: e\nkey: event.x\nschema: {properties: {x: {maximum: .inf}}}\n"),
        "not a number that JSON has",
        ["E203 base.yaml:3:36 schema.properties.x.maximum"],
    ),
    Case(
        "wait without timeout",
        steps("a: {wait_for: [{event: order.placed}]}"),
        "",
        "The wait has no timeout",
        ["W602 j.yaml:4:3 steps.a"],
    ),
    Case(
        "call without error path",
        steps("a: {fetch: crm.customer, with: {id: x}}"),
        "",
        "The step calls out and has no error path",
        ["W601 j.yaml:4:3 steps.a"],
    ),
    Case(
        "result that is never there",
        steps(
            'b: {set: {x: "${steps.c.status}"}}\n'
            "c: {fetch: crm.customer, with: {id: x}, on_error: d}\n"
            "d: {end: x}"
        ),
        "",
        "never comes before this one",
        ["W606 j.yaml:4:25 steps.b.set.x"],
    ),
    Case(
        "wait longer than the journey",
        steps("a: {wait: {for: 80d}}", "timeout: 80d"),
        "",
        "as long as the whole instance may live",
        ["W607 j.yaml:5:19 steps.a.wait.for"],
    ),
    Case(
        "mappings written as texts",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "cap: 15/s\n"
            "throttle: 15/s\n"
            "parameters: {q: string}\n"
            "response: object\n"
            "auth: bearer\n"
        ),
        "Write {calls: 15, per: 1s}.",
        [
            "E203 base.yaml:3:6 cap",
            "E203 base.yaml:4:11 throttle",
            "E203 base.yaml:5:17 parameters.q",
            "E203 base.yaml:6:11 response",
            "E203 base.yaml:7:7 auth",
        ],
    ),
    Case(
        "a word in the place of true",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "auth: {type: custom, token_url: 'https://x.example.com/t', send: {bearer: false}}\n"
        ),
        "Write one of true.",
        ["E203 base.yaml:3:75 auth.send.bearer"],
    ),
    Case(
        "throttles that no queue keeps",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "throttle: {calls: 6000, per: 1s}\n"
            "---\n"
            "action: b\n"
            "url: https://x.example.com/\n"
            "throttle: {calls: 1, per: 2d}\n"
            "---\n"
            "action: c\n"
            "url: https://x.example.com/\n"
            "cap: {calls: 5, per: 10ms}\n"
            "throttle: {calls: 1, per: 1d}\n"
        ),
        "at most 5,000 calls a second",
        ["E207 base.yaml:3:11 throttle", "E207 base.yaml:7:11 throttle", "E207 base.yaml:11:22 cap.per"],
    ),
    Case(
        "unknown keyword",
        "",
        ("event: e\nkey: event.x\nschema: {properties: {x: {typ: string}}, requird: [x], x-note: 1}\n"),
        "Did you mean `type`?",
        ["W604 base.yaml:3:27 schema.properties.x.typ", "W604 base.yaml:3:42 schema.requird"],
    ),
    Case(
        "parameter that is sent nowhere",
        "",
        (
            "action: a\n"
            "url: https://x.example.com/\n"
            "parameters: {a: {type: string}, b: {type: string}}\n"
            "body: {a: '${a}'}\n"
        ),
        "is sent nowhere",
        ["W605 base.yaml:3:33 parameters.b"],
    ),
]
