"""How a fault is declared."""

from collections.abc import Callable
from dataclasses import dataclass

from ..lab import Expected, Lab


@dataclass
class Fault:
    name: str
    engine: str
    strategy: str
    outspoken: bool
    build: Callable[[Lab], Expected]


def collector():
    """A list, and a decorator that adds a function to it once for each way: `postgres single outspoken` and the like."""
    faults: list[Fault] = []

    def on(*ways):
        def add(build):
            for way in ways:
                engine, strategy, *rest = way.split()
                name = build.__name__ if len(ways) == 1 else f"{build.__name__}_{'_'.join(way.split())}"
                faults.append(Fault(name, engine, strategy, rest == ["outspoken"], build))
            return build

        return add

    return faults, on
