"""A workflow that evaluates expressions, for the test that they stand in Temporal's sandbox."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from sojourn.expressions import EvaluationError, compile_template, to_json
    from sojourn.expressions import compile as compile_expression

TEXTS = [
    "event.amount > 100 && profile.country == 'GB'",
    "profile.map(k, k)",
    "event.mail.matches('^[^@]+@example[.]com$')",
    "inLast(now - hours(1), hours(2))",
    "startOfDay(now, 'Europe/Paris') <= now && now.getFullYear('Asia/Tokyo') >= 2026",
    "{'z': 1, 'a': 2}.transformMap(k, v, v + 1)",
    "distinct([3, 1, 3.0, 'x', {'a': 1}, {'a': 1}])",
    "'%.2f'.format([event.amount])",
    "event.items.sortBy(i, -i.n)[0].sku",
]


@workflow.defn
class Evaluates:
    """Evaluates every text, and a template, and notes what an error says."""

    @workflow.run
    async def run(self, data: dict[str, Any]) -> list[Any]:
        """Return the values as JSON."""
        variables = {**data, "now": workflow.now()}
        results = [to_json(compile_expression(text).evaluate(variables)) for text in TEXTS]
        results.append(
            compile_template({"to": "Dear ${event.mail}", "at": ["${event.items[0]}"]}).evaluate(variables)
        )
        try:
            compile_expression("event.gone").evaluate(variables)
        except EvaluationError as error:
            results.append([*error.path])
        return results
