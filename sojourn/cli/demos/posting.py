"""Posting events through the API, again where it says that it could not take them just now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sojourn.cli.api_client import ApiRefusedError
from sojourn.cli.demos.stage import Stage

TRIES = 8


async def post_events(stage: Stage, events: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """Post events in one request: a single one as it is, several as a list.

    Where Temporal was too slow for some of them, those are sent again, with the same ids.

    Returns:
        One result for each event, in order, and whether anything was sent again.

    Raises:
        ApiRefusedError: The API refused the request, or could not take it several times in a row.
        ApiUnreachableError: The API does not answer.
    """
    results: list[dict[str, Any] | None] = [None] * len(events)
    for attempt in range(TRIES):
        places = [place for place, result in enumerate(results) if result is None]
        sent = [events[place] for place in places]
        try:
            answers = (await stage.post("/v1/events", sent[0] if len(sent) == 1 else sent))["results"]
        except ApiRefusedError as error:
            answers = error.problem.get("results")
            if error.status != 503 or not isinstance(answers, list) or attempt == TRIES - 1:
                raise
            await asyncio.sleep(error.retry_after or 1.0)
        for place, answer in zip(places, answers, strict=True):
            results[place] = None if answer["status"] == "unavailable" else answer
        if None not in results:
            break
    return [result for result in results if result is not None], attempt > 0
