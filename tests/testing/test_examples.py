"""The examples of the docstrings work."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module

import pytest

import credconf.testing

MODULES = sorted({getattr(credconf.testing, name).__module__ for name in credconf.testing.__all__})


@pytest.mark.parametrize("name", [name for name in MODULES if ">>>" in (inspect.getsource(import_module(name)))])
def test_the_examples_of_a_module(name):
    failed, attempted = doctest.testmod(import_module(name))
    assert attempted
    assert not failed


def test_no_example_is_written_so_that_the_documentation_would_not_render_it():
    for name in [*MODULES, "credconf.testing", "credconf.testing.plugin"]:
        source = inspect.getsource(import_module(name))
        assert "Example:\n" not in source
        assert "::\n\n" not in source
