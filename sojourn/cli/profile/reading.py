"""Reading profiles from JSON lines or CSV, a bounded number at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from sojourn.cli.output import CliError, ExitCode, counted
from sojourn.cli.profile.values import Reader, strict_json
from sojourn.cli.send.reader import MAX_LINE_BYTES, BadLine

EXAMPLE = '{"key": "cust-1", "attributes": {"email": "ada@example.com"}}'


@dataclass(frozen=True, slots=True)
class Item:
    """A profile to write.

    Attributes:
        line: The line where it stands, or begins.
        text: What the API gets, as JSON.
    """

    line: int
    text: bytes


@dataclass
class ProfileBatch:
    """Profiles that go into one request.

    Attributes:
        items: The profiles.
        bad: Lines among them that hold none.
        bytes_read: How much of the file has been read up to the end of this batch.
    """

    items: list[Item] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    bytes_read: int = 0


Found = Iterator[tuple[int, dict[str, Any] | str]]
"""Line numbers, with a profile as the API takes it or what is wrong with the line."""


class Counted:
    """The lines of a file, counted in bytes, without the mark that some programs put at the beginning."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines with their ends."""
        for line in self._file:
            first, self.read = self.read == 0, self.read + len(line)
            yield line.removeprefix(b"\xef\xbb\xbf") if first else line


def read_json_lines(lines: Counted, key_field: str | None) -> Found:
    """Read a JSON object from each line; empty lines are passed over.

    Args:
        lines: The file.
        key_field: The member that is the profile key, the others being attributes; None: each line has `key` and
            `attributes`.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _of_json(line.strip(), key_field)


def _of_json(text: bytes, key_field: str | None) -> dict[str, Any] | str:
    try:
        value = strict_json(text)
    except UnicodeDecodeError:
        return "is not UTF-8"
    except json.JSONDecodeError as error:
        return f"is not JSON: {error.msg} at column {error.colno}"
    except ValueError as error:
        return f"is not JSON: {error}"
    if not isinstance(value, dict):
        return f"is no JSON object: a profile looks like {EXAMPLE}"
    if key_field is not None:
        if key_field not in value:
            return f"has no {key_field!r}, which --key-field says is the profile key"
        key = value.pop(key_field)
        return {"key": key, "attributes": value}
    missing = [name for name in ("key", "attributes") if name not in value]
    if missing:
        return (
            f"has no {' and no '.join(map(repr, missing))}: write {EXAMPLE}, or say with --key-field which "
            "member is the profile key"
        )
    return value


def read_csv(
    lines: Counted, key_column: str, readers: Mapping[str, Reader], other: Reader, delimiter: str
) -> Found:
    """Read a profile from each row. Empty cells are left out.

    Args:
        lines: The file; its first row names the columns.
        key_column: The column with the profile key; the others are attributes.
        readers: How to read the cells of a column.
        other: How to read those of the other columns.
        delimiter: What stands between two cells.

    Raises:
        CliError: The first row does not name the columns, or not that one.
    """
    # What is no UTF-8 is told of its own row, so it passes the decoding.
    rows = csv.reader((line.decode("utf-8", "surrogateescape") for line in lines), delimiter=delimiter)
    header = _header(rows, key_column, delimiter)
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"is not CSV: {error}"
            continue
        if cells:
            yield line, _of_cells(header, cells, key_column, readers, other)


def _header(rows: Any, key_column: str, delimiter: str) -> list[str]:
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise CliError(f"the first line is not CSV: {error}", ExitCode.USAGE) from None
    twice = sorted({name for name in header if header.count(name) > 1})
    if "" in header or twice:
        which = f"{twice[0]!r} twice" if twice and twice[0] else "a column without a name"
        raise CliError(f"the first line of the file must name the columns, and has {which}", ExitCode.USAGE)
    if key_column not in header:
        hint = next((f"; is --delimiter {sign!r} meant?" for sign in ";\t|" if sign in "".join(header)), "")
        raise CliError(
            f"no column is named {key_column!r}, which --key-field says is the profile key; there are "
            f"{', '.join(header) or 'none'}{hint}",
            ExitCode.USAGE,
        )
    return header


def _of_cells(
    header: list[str], cells: list[str], key_column: str, readers: Mapping[str, Reader], other: Reader
) -> dict[str, Any] | str:
    if len(cells) != len(header):
        return f"has {counted(len(cells), 'cell')}, and the first line names {counted(len(header), 'column')}"
    attributes = {}
    key = ""
    for name, cell in zip(header, cells, strict=True):
        if not cell.isascii() and any("\ud800" <= sign <= "\udfff" for sign in cell):
            return f"{name} is not UTF-8"
        if name == key_column:
            key = cell.strip()
        elif cell.strip():
            try:
                attributes[name] = readers.get(name, other)(cell)
            except ValueError as error:
                return f"{name} {error}"
    if not key:
        return f"{key_column} is empty, and it is the profile key"
    return {"key": key, "attributes": attributes}


def batches(
    found: Found, position: Callable[[], int], size: int, max_bytes: int = MAX_LINE_BYTES
) -> Iterator[ProfileBatch]:
    """Collect what was read into batches.

    Args:
        found: What was read.
        position: Says how many bytes of the file have been read.
        size: Most profiles in a batch.
        max_bytes: Most bytes of profiles in a batch.
    """
    batch, weight = ProfileBatch(), 0
    for line, value in found:
        text = value if isinstance(value, str) else _encoded(value)
        if isinstance(text, str):
            batch.bad.append(BadLine(line, text))
            continue
        if batch.items and (len(batch.items) >= size or weight + len(text) > max_bytes):
            yield batch
            batch, weight = ProfileBatch(), 0
        batch.items.append(Item(line, text))
        weight += len(text) + 1
        batch.bytes_read = position()
    batch.bytes_read = position()
    if batch.items or batch.bad:
        yield batch


def _encoded(value: dict[str, Any]) -> bytes | str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate), which no UTF-8 can say"
    except ValueError as error:
        return f"cannot be written as JSON: {error}"
    if len(text) > MAX_LINE_BYTES:
        return f"is {len(text):,} bytes long, and a profile has at most 65,536"
    return text
