"""`python -m benchmarks`: prints each measure as a table of Sojourn / plain Temporal, with the ratio."""

from __future__ import annotations

import argparse
import asyncio

from benchmarks import engine, ingestion


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="batches of each journey for each side")
    parser.add_argument("--count", type=int, default=200, help="journeys in a batch")
    arguments = parser.parse_args()
    print("Sojourn / the same written by hand for plain Temporal, same server, in turns\n")
    print(engine.table(asyncio.run(engine.measure(arguments.rounds, arguments.count))))
    print("\nThe API, beside bare calls of the SDK to the same server\n")
    print(ingestion.table(asyncio.run(ingestion.measure(arguments.count * 3))))


if __name__ == "__main__":
    main()
