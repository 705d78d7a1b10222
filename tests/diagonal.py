"""A matrix of parameters (faces, kinds, faults) runs as a diagonal of it; `pytest --whole` runs all of it.

The same option decides how many examples hypothesis takes.
"""

from __future__ import annotations

import sys
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_whole = False


def share(number: int) -> int:
    """How many of a number of random examples to take: all of them with `--whole`, else a quarter."""
    return number if _whole else max(1, number // 4)


def pytest_configure(config: pytest.Config) -> None:
    """Know the option before the modules of tests are imported, whose decorators count examples."""
    global _whole  # noqa: PLW0603 - a decorator has no config
    _whole = config.getoption("--whole")
    if "hypothesis" in sys.modules:
        from hypothesis import settings

        settings.register_profile("credconf", settings.get_profile("credconf"), max_examples=share(100))
        settings.load_profile("credconf")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run each matrix of parameters whole, not a diagonal of it")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not on a diagonal, unless `--whole` or a single case is asked for."""
    if config.getoption("--whole") or any("[" in argument for argument in config.args):
        return
    tests = defaultdict(list)
    for item in items:
        tests[item.nodeid.partition("[")[0]].append(item)
    kept: set[pytest.Item] = set()
    for name, cases in tests.items():
        axes = [_axis(cases, names) for names in _names_of_axes(cases[0])]
        kept.update(cases[row] for row in diagonal(name, axes)) if axes else kept.update(cases)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def diagonal(name: str, axes: Sequence[Sequence[int]]) -> list[int]:
    """As many rows as the longest axis has values, such that each value of each axis is in at least one of them.

    The test's name decides which values meet, so that each pair of a face and a kind meets in some test.

    Args:
        name: of the test.
        axes: for each parameter the number of its value in each row of the matrix.
    """
    longest, *others = sorted(axes, key=max, reverse=True)
    length, stride, shift = max(longest) + 1, 1, zlib.crc32(name.encode())
    rows = list(range(len(longest)))
    for axis in others:
        size = max(axis) + 1
        if stride * size > length:
            stride = 1  # slower steps would not reach each value
        rows = [row for row in rows if axis[row] == (longest[row] // stride + shift) % size]
        stride, shift = stride * size, shift // size
    return rows


def _names_of_axes(case: pytest.Item) -> Iterator[list[str]]:
    """The names of the parameters; those that one `parametrize` gives together are one axis."""
    call = getattr(case, "callspec", None)
    names = set(call.params if call else ())
    for mark in case.iter_markers("parametrize"):
        given = mark.args[0]
        together = [each.strip() for each in given.split(",")] if isinstance(given, str) else list(given)
        names -= set(together)
        yield together
    for name in sorted(names):
        yield [name]


def _axis(cases: Sequence[pytest.Item], names: Sequence[str]) -> list[int]:
    """For each case the number of its value, in the order of their appearance."""
    numbers: dict[tuple[int, ...], int] = {}
    values = [tuple(id(getattr(case, "callspec").params[name]) for name in names) for case in cases]  # noqa: B009
    return [numbers.setdefault(value, len(numbers)) for value in values]
