"""Shared tokens are opaque to the store that keeps them."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credconf.stores.sealing import Seal

SECRET = b"canary-7zE8Q~~A9ZCjQD2"
TOKEN = {"token": "canary.token", "lifetime": 3600}


@pytest.fixture
def seal():
    return Seal(SECRET)


def test_what_it_closed_it_opens(seal):
    assert seal.open(seal.close(TOKEN, "name"), "name") == TOKEN


def test_what_is_stored_shows_nothing_of_the_token(seal):
    stored = seal.close(TOKEN, "name")
    assert b"canary" not in stored
    assert seal.close(TOKEN, "name") != stored, "the same token looks the same"


def test_tokens_of_similar_lengths_have_one_length(seal):
    lengths = {len(seal.close({"token": "x" * length}, "name")) for length in range(100, 200)}
    assert len(lengths) == 1


def test_another_secret_finds_another_name_and_opens_nothing(seal):
    other = Seal(SECRET + b"!")
    assert other.name("tenant") != seal.name("tenant")
    assert other.open(seal.close(TOKEN, "name"), "name") is None


def test_the_same_secret_of_another_process_finds_the_same(seal):
    assert Seal(SECRET).name("tenant") == seal.name("tenant")
    assert Seal(SECRET).open(seal.close(TOKEN, "name"), "name") == TOKEN


def test_a_value_that_was_moved_to_another_name_does_not_open(seal):
    assert seal.open(seal.close(TOKEN, "mine"), "yours") is None


def test_a_name_says_nothing_of_what_it_names(seal):
    name = seal.name("tenant-canary")
    assert "canary" not in name
    assert len(name) == 43
    assert seal.name("tenant-canarz") != name


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_changed_byte_anywhere_makes_it_unreadable(at, by):
    seal = Seal(SECRET)
    stored = bytearray(seal.close(TOKEN, "name"))
    stored[at % len(stored)] ^= by
    assert seal.open(bytes(stored), "name") is None


@given(st.binary(max_size=600))
def test_rubbish_is_nothing(rubbish):
    assert Seal(SECRET).open(rubbish, "name") is None


def test_the_secret_is_in_none_of_its_attributes(seal):
    reached = gc.get_referents(*(getattr(seal, name) for name in Seal.__slots__), seal)
    derived = getattr(seal._cipher, "_key", None)  # old versions of cryptography keep it there
    assert derived is None or SECRET not in derived
    assert not any(isinstance(item, bytes | str) and item for item in reached if item is not derived)
    assert "canary" not in repr(seal)
