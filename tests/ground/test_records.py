"""Records behave like the standard library's dataclasses."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credconf.ground.records import field, mutable_record, record, replace

CANARY = "canary~secret+1"


@record
class Point:
    """A point."""

    x: int
    label: str = field(repr=False)
    tags: list[str] = field(default_factory=list)
    note: str | None = None

    @property
    def twice(self) -> int:
        return 2 * self.x


@dataclasses.dataclass(frozen=True)
class Reference:
    """The same as a dataclass of the standard library."""

    x: int
    label: str = dataclasses.field(repr=False)
    tags: list[str] = dataclasses.field(default_factory=list)
    note: str | None = None


@record
class One:
    only: object


@record
class Nothing:
    pass


@mutable_record
class Counter:
    count: int = 0


FIELDS = {"x": st.integers(), "label": st.text(), "tags": st.lists(st.text()), "note": st.none() | st.text()}


@given(st.data(), st.integers(0, 5), st.sets(st.sampled_from([*FIELDS, "other"])))
def test_a_record_is_made_where_a_dataclass_is_made(data, positional, names):
    values = [data.draw(strategy) for strategy in FIELDS.values()]
    args = [*values, 0][:positional]
    kwargs = {name: data.draw(FIELDS.get(name, st.none())) for name in sorted(names)}
    try:
        expected = Reference(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError, match="Point"):
            Point(*args, **kwargs)
        return
    made = Point(*args, **kwargs)
    assert [getattr(made, name) for name in FIELDS] == [getattr(expected, name) for name in FIELDS]
    assert repr(made) == repr(expected).replace("Reference", "Point")
    assert made.twice == 2 * made.x


def test_two_records_are_equal_when_their_class_and_fields_are():
    assert Point(1, "a") == Point(1, "a")
    assert Point(1, "a") != Point(1, "b")
    assert Point(1, "a") != Reference(1, "a")
    assert One(1) == One(1)
    assert hash(One(1)) == hash(One(1))
    assert {One((1, 2)), One((1, 2)), Nothing(), Nothing()} == {Nothing(), One((1, 2))}
    with pytest.raises(TypeError):
        hash(One([]))


def test_a_record_does_not_change():
    point = Point(1, "a")
    for change in (lambda: setattr(point, "x", 2), lambda: delattr(point, "x"), lambda: setattr(point, "more", 2)):
        with pytest.raises(AttributeError):
            change()
    assert point.x == 1


def test_a_mutable_record_changes_and_has_no_hash():
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(AttributeError):
        counter.more = 1
    with pytest.raises(TypeError):
        hash(counter)


def test_a_default_that_is_made_is_made_for_each():
    assert Point(1, "a").tags is not Point(1, "a").tags


def pickled(of):
    return pickle.loads(pickle.dumps(of))  # noqa: S301 - our own


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled, replace])
def test_a_copy_is_equal(again):
    point = Point(1, "a", ["b"], note="c")
    assert again(point) == point
    assert again(Nothing()) == Nothing()
    assert again(Counter(3)) == Counter(3)


def test_a_record_is_replaced_field_by_field():
    assert replace(Point(1, "a"), x=2, note="n") == Point(2, "a", note="n")
    with pytest.raises(TypeError, match="takes no `y`"):
        replace(Point(1, "a"), y=2)


def test_a_record_is_matched_by_position():
    match Point(1, "a"):
        case Point(x, label):
            assert (x, label) == (1, "a")


@pytest.mark.parametrize("arguments", [{"label": CANARY}, {"x": 1, "label": CANARY, "other": CANARY}])
def test_a_wrong_argument_shows_no_value(arguments):
    with pytest.raises(TypeError) as caught:
        Point(**arguments)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    assert CANARY not in str(caught.value)
    assert CANARY not in str([frame.locals for frame in frames[1:]])
