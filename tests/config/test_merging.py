"""The layers of files are merged as pydantic-settings merges all layers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from credconf.config.layers import Layer, Value, merge_file_layers, place_in, tree
from credconf.config.pydantic_sources import merge_layers
from credconf.config.reading.nodes import Scalar, Sequence
from credconf.problems.problem import Origin

PATHS = ["tenant_id", "client_id", "cloud", "authority", "http.timeout", "http.proxy", "token_cache.kind", "env_prefix"]


def layer(file, **values):
    return Layer(file, {path: value_at(raw, file, line) for line, (path, raw) in enumerate(values.items(), start=1)})


def value_at(raw, file, line):
    origin = Origin("file", file=file, line=line, column=1)
    return Value(raw, origin, origin)


@st.composite
def layers(draw):
    found = []
    for number in range(draw(st.integers(0, 4))):
        paths = draw(st.lists(st.sampled_from(PATHS), unique=True))
        file = f"{number}.yaml"
        values = {path: value_at(f"{number}", file, line) for line, path in enumerate(paths, start=1)}
        found.append(Layer(file, values))
    return found


@given(layers())
def test_merging_with_and_without_pydantic_settings_is_the_same(stack):
    one, other = merge_file_layers(stack), merge_layers(stack)
    assert one == other
    assert {path: value.origin.displaced for path, value in one.items()} == {
        path: value.origin.displaced for path, value in other.items()
    }


def test_the_highest_wins_and_knows_what_it_displaced():
    low, high = (
        Layer("low", {"client_id": value_at("a", "low", 1)}),
        Layer("high", {"client_id": value_at("b", "high", 1)}),
    )
    merged = merge_file_layers([high, low])
    assert merged["client_id"].raw == "b"
    assert [origin.file for origin in merged["client_id"].origin.displaced] == ["low"]


def test_an_authority_displaces_a_cloud_below_it():
    low, high = (
        Layer("low", {"cloud": value_at("usgov", "low", 1)}),
        Layer("high", {"authority": value_at("a", "high", 2)}),
    )
    merged = merge_file_layers([high, low])
    assert list(merged) == ["authority"]
    assert [origin.file for origin in merged["authority"].origin.displaced] == ["low"]


def test_groups_are_dictionaries_in_the_tree():
    merged = {
        "http.timeout": value_at("5", "a", 1),
        "http.proxy": value_at("p", "a", 2),
        "region": value_at("r", "a", 3),
    }
    assert tree(merged) == {"http": {"timeout": "5", "proxy": "p"}, "region": "r"}


def test_a_place_is_as_exact_as_it_is_known():
    node = Sequence(4, 10, [Scalar("x", plain=True, line=4, column=11), Scalar("y", plain=True, line=5, column=3)])
    origin = Origin("file", file="a", line=4, column=10)
    merged = {"prefetch": Value(["x", "y"], origin, origin, node), "http.timeout": value_at("5", "a", 7)}
    assert str(place_in(merged, "prefetch.1")) == "a:5:3"
    assert str(place_in(merged, "prefetch.7")) == "a:4:10"
    assert str(place_in(merged, "http")) == "a:7:1"
    assert place_in(merged, "region") is None
