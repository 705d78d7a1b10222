"""Ages with the seconds that tests have let pass. What another test let pass counts here, too."""

from __future__ import annotations

import pytest

from credconf.ground import aging

LONG = 1e9  # seconds, before every test


def test_what_exists_becomes_older_by_all_that_passes():
    before = aging.real_age(LONG)
    aging.let_pass(3600)
    aging.let_pass(60)
    assert aging.real_age(LONG) == pytest.approx(before + 3660)


def test_what_is_made_afterwards_does_not():
    aging.let_pass(3600)
    assert aging.real_age(0) == 0
