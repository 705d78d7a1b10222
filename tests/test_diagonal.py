from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tests.diagonal import diagonal


@given(st.text(), st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_a_diagonal_meets_each_value_with_as_few_cases_as_there_can_be(name, sizes):
    matrix = list(product(*map(range, sizes)))
    rows = diagonal(name, list(zip(*matrix, strict=True)))
    assert len(rows) == max(sizes)
    for axis, size in enumerate(sizes):
        assert {matrix[row][axis] for row in rows} == set(range(size))


def test_every_pair_of_two_short_axes_is_met_beside_a_long_one():
    matrix = list(product(range(2), range(17), range(2)))
    rows = diagonal("any", list(zip(*matrix, strict=True)))
    assert len(rows) == 17
    assert {(matrix[row][0], matrix[row][2]) for row in rows} == set(product(range(2), range(2)))


def test_another_test_meets_other_values():
    matrix = list(product(range(2), range(2)))
    assert len({tuple(diagonal(f"test {number}", list(zip(*matrix, strict=True)))) for number in range(20)}) == 2
