"""A wheel with a file too many, too few, or not of this tree does not pass."""

from __future__ import annotations

import zipfile

import pytest

from tools import check_wheel

NAME = "credconf-1.2.3-py3-none-any.whl"


@pytest.fixture
def wheel(tmp_path):
    def wheel(without=(), **more):
        files = check_wheel.expected("credconf-1.2.3.dist-info")
        held = {path: source.read_bytes() if source else b"" for path, source in files.items() if path not in without}
        with zipfile.ZipFile(tmp_path / NAME, "w") as archive:
            for path, content in {**held, **more}.items():
                archive.writestr(path, content)
        return tmp_path / NAME

    return wheel


def test_a_wheel_as_it_should_be_passes(wheel, capsys):
    assert check_wheel.main(str(wheel())) == 0
    assert capsys.readouterr().out.startswith(f"{NAME} holds ")


@pytest.mark.parametrize("path", ["credconf/py.typed", "credconf/credconf.schema.json", "credconf/factory.py"])
def test_a_wheel_that_lacks_something_does_not(wheel, path, capsys):
    assert check_wheel.main(str(wheel(without={path}))) == 1
    assert capsys.readouterr().err == f"{NAME}: it lacks {path}\n"


def test_a_wheel_with_tests_does_not(wheel):
    assert check_wheel.problems(wheel(**{"tests/test_load.py": b""})) == ["it holds tests/test_load.py"]


def test_a_wheel_of_another_tree_does_not(wheel):
    found = check_wheel.problems(wheel(**{"credconf/factory.py": b"# edited"}))
    assert found == ["credconf/factory.py is not the tree's"]
