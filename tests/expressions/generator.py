"""Random expressions and data: of fitting types mostly, and of types that do not fit now and then."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

KINDS = ("bool", "int", "double", "string", "list", "map", "timestamp", "duration", "null")
WEIGHTS = (8, 6, 4, 5, 3, 2, 1, 1, 1)
WORDS = ("", "a", "b", "ab", "Abc", "été", "x y", "10", "-3", "1.5", "true", "😀", "a,b,c", "aXbX")
PATTERNS = ("a", "^a.*b$", "[0-9]+", "(a|X)+", "é", "^$", "a{2", "\\bx")
INTS = (0, 1, 2, 3, -1, -7, 10, 100, 5, 12, 41, 250, 2**53 + 1, 2**63 - 1, -(2**63))
DOUBLES = (0.0, 1.0, 1.5, -2.25, 1e3, 0.1, 1e300, -0.0, 2.5, 123456789.0, 1e21, 1e-7)
FIELDS = {
    "bool": ("yes", "no"), "int": ("i", "j", "k"), "double": ("d", "e"), "string": ("s", "t"), "list": ("ints", "texts", "mixed"),
    "map": ("inner", "counts"), "null": ("nothing",), "timestamp": ("gone",), "duration": ("gone",),
}  # fmt: skip
"""Fields of the data, by what they hold. `gone` is never there, and others are missing now and then."""

NAMES = sorted({name for names in FIELDS.values() for name in names})


def _scalar(rng: random.Random) -> Any:
    return rng.choice([None, True, False, rng.choice(INTS), rng.choice(DOUBLES), rng.choice(WORDS)])


def data(rng: random.Random, depth: int = 2) -> dict[str, Any]:
    """Return a random record: JSON with fields of known kinds."""
    record: dict[str, Any] = {
        "yes": True, "no": False, "nothing": None,
        "ints": [rng.choice(INTS[:8]) for _ in range(rng.randrange(4))],
        "texts": [rng.choice(WORDS) for _ in range(rng.randrange(4))],
        "mixed": [_scalar(rng) for _ in range(rng.randrange(4))],
        "counts": {name: rng.choice(INTS) for name in rng.sample(NAMES, rng.randrange(3))},
        "inner": data(rng, depth - 1) if depth else {},
    }  # fmt: skip
    record |= {name: rng.choice(INTS) for name in FIELDS["int"]}
    record |= {name: rng.choice(DOUBLES) for name in FIELDS["double"]}
    record |= {name: rng.choice(WORDS) for name in FIELDS["string"]}
    for name in rng.sample(sorted(record), rng.randrange(3)):
        del record[name]
    return record


class Generator:
    """Writes random expressions over records `x`, `y` and `event`.

    Args:
        rng: Where the chance comes from.
        misfits: How often an operand is of any kind instead of the one that fits.
    """

    def __init__(self, rng: random.Random, misfits: float = 0.03) -> None:
        self.rng = rng
        self.misfits = misfits
        self.bound: list[str] = []

    def expression(self, depth: int = 4) -> str:
        """Return an expression of any kind."""
        [kind] = self.rng.choices(KINDS, WEIGHTS)
        return self.of(kind, depth)

    def of(self, kind: str, depth: int) -> str:
        """Return an expression that mostly is of a kind."""
        if self.rng.random() < self.misfits:
            kind = self.rng.choice(KINDS)
        if depth <= 0 or self.rng.random() < 0.2:
            return self.leaf(kind)
        if self.rng.random() < 0.08:
            return f"({self.of('bool', depth - 1)} ? {self.of(kind, depth - 1)} : {self.of(kind, depth - 1)})"
        make: Callable[[int], str] = getattr(self, f"a_{kind}")
        return make(depth - 1)

    def leaf(self, kind: str) -> str:
        """Return a constant or something of the data."""
        rng = self.rng
        if rng.random() < 0.4:
            return self.reference(kind)
        if kind == "int":
            return str(rng.choice(INTS))
        if kind == "double":
            return repr(rng.choice(DOUBLES))
        if kind == "string":
            return self.quoted(rng.choice(WORDS))
        if kind == "timestamp":
            second = rng.choice(["00", "59.123"])
            return f"timestamp('20{rng.randrange(10, 40)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T23:30:{second}Z')"
        if kind == "duration":
            return f"duration('{rng.choice(['1s', '90m', '-5s', '1h30m', '0.5s', '100h'])}')"
        return {"bool": rng.choice(["true", "false"]), "list": "[]", "map": "{}", "null": "null"}[kind]

    @staticmethod
    def quoted(word: str) -> str:
        return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def reference(self, kind: str) -> str:
        """Return a path into the data, mostly to something of a kind."""
        rng = self.rng
        if self.bound and rng.random() < 0.5:
            return rng.choice(self.bound)
        if rng.random() < self.misfits:
            kind = rng.choice(KINDS)
        root = rng.choice(["x", "y", "event", "event.inner"])
        if kind == "map" and rng.random() < 0.3:
            return root
        if kind in ("int", "string") and rng.random() < 0.2:
            return f"{root}.{'ints' if kind == 'int' else 'texts'}[{rng.choice([0, 0, 1, 2, '1.0'])}]"
        name = rng.choice(FIELDS[kind])
        return f"{root}.{name}" if rng.random() < 0.8 else f"{root}['{name}']"

    def a_null(self, depth: int) -> str:
        return "null"

    def a_bool(self, depth: int) -> str:
        rng = self.rng
        kind = rng.choice(["int", "double", "string", "bool", "timestamp", "duration", "list", "map"])
        one, two = self.of(kind, depth), self.of(kind, depth)
        shape = rng.randrange(12)
        if shape <= 2:
            return f"({self.of('bool', depth)} {rng.choice(['&&', '||'])} {self.of('bool', depth)})"
        if shape <= 4:
            return f"({one} {rng.choice(['==', '!=', '==', '<', '<=', '>', '>='])} {two})"
        if shape == 5:
            return f"!{self.of('bool', depth)}"
        if shape == 6:
            return f"({one} in {self.of(rng.choice(['list', 'map']), depth)})"
        if shape == 7:
            return f"has({self.reference('map')}.{rng.choice(NAMES)})"
        if shape == 8:
            macro = rng.choice(["all", "exists", "exists_one"])
            return (
                f"{self.of(rng.choice(['list', 'list', 'map']), depth)}.{macro}({self.body('bool', depth)})"
            )
        if shape == 9:
            return f"(type({self.of(kind, depth)}) == {rng.choice(['int', 'double', 'string', 'bool', 'list', 'map'])})"
        if shape == 10:
            return f"{self.of('string', depth)}.matches({self.quoted(rng.choice(PATTERNS))})"
        test = rng.choice(["contains", "startsWith", "endsWith"])
        return f"{self.of('string', depth)}.{test}({self.of('string', depth)})"

    def a_int(self, depth: int) -> str:
        rng = self.rng
        shape = rng.randrange(9)
        if shape == 7:
            return f"{self.of('string', depth)}.{rng.choice(['indexOf', 'lastIndexOf'])}({self.of('string', depth)})"
        if shape == 8:
            return f"math.{rng.choice(['greatest', 'least'])}(dyn({self.of('int', depth)}), dyn({self.of('int', depth)}))"
        if shape <= 2:
            return f"({self.of('int', depth)} {rng.choice('+-*/%')} {self.of('int', depth)})"
        if shape == 3:
            return f"-({self.of('int', depth)})"
        if shape == 4:
            return f"size({self.of(rng.choice(['string', 'list', 'map']), depth)})"
        if shape == 5:
            return f"int({self.of(rng.choice(['double', 'string', 'int', 'timestamp']), depth)})"
        part = rng.choice(
            ["getFullYear", "getMonth", "getDate", "getDayOfWeek", "getDayOfYear", "getHours", "getSeconds"]
        )
        zone = rng.choice(["", "", "'Europe/Paris'", "'America/St_Johns'", "'+05:30'"])
        return f"{self.of('timestamp', depth)}.{part}({zone})"

    def a_double(self, depth: int) -> str:
        if self.rng.random() < 0.7:
            return f"({self.of('double', depth)} {self.rng.choice('+-*/')} {self.of('double', depth)})"
        return f"double({self.of(self.rng.choice(['int', 'string', 'double']), depth)})"

    def a_string(self, depth: int) -> str:
        rng = self.rng
        shape = rng.randrange(8)
        if shape <= 2:
            return f"({self.of('string', depth)} + {self.of('string', depth)})"
        if shape <= 4:
            kind = rng.choice(["int", "double", "string", "timestamp", "duration", "bool"])
            return f"string({self.of(kind, depth)})"
        if shape == 5:
            return f"{self.of('string', depth)}.{rng.choice(['lowerAscii', 'upperAscii', 'trim'])}()"
        if shape == 6:
            return f"{self.of('string', depth)}.replace({self.of('string', 0)}, {self.of('string', 0)})"
        return f"{self.of('string', depth)}.substring({rng.randrange(3)})"

    def a_list(self, depth: int) -> str:
        rng = self.rng
        shape = rng.randrange(6)
        if shape == 5:
            return f"{self.of('string', depth)}.split({self.quoted(rng.choice(['', ',', 'a', ' ']))})"
        if shape <= 1:
            kind = rng.choice(KINDS)
            return "[" + ", ".join(self.of(kind, depth) for _ in range(rng.randrange(4))) + "]"
        if shape == 2:
            return f"({self.of('list', depth)} + {self.of('list', depth)})"
        macro, kind = rng.choice([("filter", "bool"), ("map", "int"), ("map", "string")])
        return f"{self.of(rng.choice(['list', 'list', 'map']), depth)}.{macro}({self.body(kind, depth)})"

    def a_map(self, depth: int) -> str:
        rng = self.rng
        entries = []
        for _ in range(rng.randrange(3)):
            key = (
                self.quoted(rng.choice(NAMES))
                if rng.random() < 0.8
                else self.of(rng.choice(["int", "bool"]), 0)
            )
            entries.append(f"{key}: {self.of(rng.choice(KINDS), depth)}")
        return "{" + ", ".join(entries) + "}"

    def a_timestamp(self, depth: int) -> str:
        return f"({self.of('timestamp', depth)} {self.rng.choice('+-')} {self.of('duration', depth)})"

    def a_duration(self, depth: int) -> str:
        kind = self.rng.choice(["timestamp", "duration"])
        return f"({self.of(kind, depth)} - {self.of(kind, depth)})"

    def body(self, kind: str, depth: int) -> str:
        """Return the arguments of a macro: a variable, and what is asked or made of it."""
        name = f"v{len(self.bound)}"
        self.bound.append(name)
        inner = self.of(kind, depth)
        self.bound.pop()
        return f"{name}, {inner}"
