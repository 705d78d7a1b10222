"""What a misspelt word was probably meant to be."""

from __future__ import annotations

import pytest

from credconf.problems import closest


@pytest.mark.parametrize(
    ("word", "meant"),
    [("clinet_id", "client_id"), ("CLIENT-ID", "client_id"), ("tenantid", "tenant_id"), ("zzz", None), ("", None)],
)
def test_the_closest_word_is_suggested(word, meant):
    assert closest(word, ["client_id", "tenant_id"]) == meant


def test_a_word_of_any_length_is_answered_at_once():
    assert closest("client_id" * 100_000, ["client_id"]) is None


def test_nobody_has_misspelt_one_of_more_names_than_can_be_compared():
    names = [f"VARIABLE_{number}" for number in range(499)]
    assert closest("TENNANT_ID", [*names, "TENANT_ID"]) == "TENANT_ID"
    assert closest("TENNANT_ID", [*names, "ANOTHER", "TENANT_ID"]) is None
