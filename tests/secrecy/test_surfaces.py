"""Promise: nothing that a program can do with a credential by accident shows its secret: print, copy, pickle, dump."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint

import pydantic
import pytest
import structlog
from pydantic import BaseModel, SecretStr, ValidationError
from rich.console import Console
from rich.pretty import pretty_repr

import credconf
from tests.secrecy.canaries import CANARY, SECRET
from tests.secrecy.places import SECRETS, Application
from tests.secrecy.reach import walk


def printed(thing):
    """What each way of printing makes of it."""
    yield "str", str(thing)
    yield "repr", repr(thing)
    yield "format", f"{thing}"
    yield "pprint", pprint.pformat(thing)
    yield "rich", pretty_repr(thing)
    console = Console(file=io.StringIO(), width=1_000, color_system=None)
    console.print(thing)
    yield "rich console", console.file.getvalue()
    yield "structlog", str(structlog.dev.ConsoleRenderer(colors=False)(None, "info", {"event": "it", "thing": thing}))
    yield "structlog JSON", structlog.processors.JSONRenderer()(None, "info", {"event": "it", "thing": thing})
    yield "json", json.dumps(thing, default=str)
    yield "vars", repr(getattr(thing, "__dict__", None))
    record = logging.LogRecord("app", logging.INFO, "app.py", 1, "%s %r", (thing, thing), None)
    yield "log", logging.Formatter().format(record)
    yield from walk(thing, private=False)


def copied(thing):
    """What comes of it in each way to make another of it, or bytes of it."""
    for way in (copy.copy, copy.deepcopy):
        twin = way(thing)
        yield from printed(twin)
        if hasattr(twin, "close"):
            twin._release()
    yield from (pickled(thing, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1))


def pickled(thing, protocol):
    try:
        return "pickle", pickle.dumps(thing, protocol).decode("latin-1")
    except (TypeError, AttributeError) as error:  # it holds the secret itself, and says that it can't be pickled
        return "not pickled", str(error)


def test_no_way_to_print_a_credential_shows_what_it_holds(planted, place, said):
    driven, canary = planted
    credential = driven.credential
    canary.assert_absent(printed(credential))
    canary.assert_absent(printed(credential.describe()))
    if place != "argument of a command":  # a program's arguments are a setting, which another process needs
        canary.assert_absent(copied(credential))


def test_a_credential_is_no_dataclass(planted):
    driven, _ = planted
    with pytest.raises(TypeError):
        dataclasses.asdict(driven.credential)


def resolved(site, place):
    """What `load()` makes of the same configuration."""
    made = []

    class Watched:
        def from_config(self, *arguments, **options):
            made.append(credconf.load(*arguments, **options))

        build = staticmethod(lambda _: None)

    site.face = type("Loading", (), {"module": Watched()})()
    SECRETS[place](site)
    return made[0]


LOADED = [place for place in SECRETS if "build" not in place and place not in {"constructor", "embedded"}]


@pytest.mark.parametrize("place", LOADED)
def test_no_way_to_print_a_loaded_configuration_shows_its_secret(site, place, said):
    loaded = resolved(site, place)
    if place != "argument of a command":  # the arguments of a program are a setting that is dumped
        CANARY.assert_absent(printed(loaded))
        CANARY.assert_absent(printed(loaded.settings))
        CANARY.assert_absent(
            [("dump", repr(loaded.settings.model_dump())), ("JSON", loaded.settings.model_dump_json())]
        )
        CANARY.assert_absent([("JSON mode", json.dumps(loaded.settings.model_dump(mode="json")))])
        CANARY.assert_absent(copied(loaded.settings))
    CANARY.assert_absent(
        [("repr", repr(loaded)), ("origins", repr(loaded.origins)), ("warnings", repr(loaded.warnings))]
    )


@pytest.mark.parametrize("place", ["env reference", "env reference to .env", "environment", "keyword argument"])
def test_what_was_loaded_can_be_copied_and_takes_no_variable_into_a_pickle(site, place):
    loaded = resolved(site, place)
    CANARY.assert_absent(printed(copy.copy(loaded)))
    CANARY.assert_absent(printed(copy.deepcopy(loaded)))
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(loaded)


def test_the_parts_of_settings_that_hold_a_secret_are_not_pickled_either(site):
    proxy = {"proxy": f"http://u:{SECRET[:9]}@proxy.example:1"}
    settings = credconf.load(site.yaml("client_secret: another"), http=proxy).settings
    for part in (settings, settings.http):
        with pytest.raises(TypeError, match="hold a secret"):
            pickle.dumps(part)
    assert pickle.loads(pickle.dumps(credconf.load(site.yaml("client_secret: x")).settings.http))  # noqa: S301


class Outer(BaseModel):
    """An application's model, which hides nothing."""

    login: credconf.Settings
    threads: int
    name: str


@pytest.mark.parametrize(
    "fault", [{"threads": "many"}, {"threads": 1, "name": ["x"]}, {"login": {"clinet_id": SECRET}}]
)
def test_no_error_of_a_model_around_ours_shows_the_secret(site, fault):
    data = {"threads": 1, "name": "x", **fault, "login": {**site.fields(), **fault.get("login", {})}}
    with pytest.raises((ValidationError, credconf.ConfigError)) as caught:
        Outer.model_validate(data)
    inside = list(caught.value.errors(include_input=False)) if isinstance(caught.value, ValidationError) else []
    CANARY.assert_absent([("errors", repr(inside))])
    if "login" in fault:
        CANARY.assert_absent([("str", str(caught.value)), ("repr", repr(caught.value))])


def test_an_embedded_credential_shows_nothing(site):
    site.patch.setenv("APP_LOGIN", json.dumps(site.fields()))
    application = Application()
    CANARY.assert_absent(printed(application))
    CANARY.assert_absent([("dump", repr(application.model_dump())), ("JSON", application.model_dump_json())])


def test_pydantics_box_is_opened_by_name_only(site):
    settings = credconf.load(site.yaml(""), client_secret=SECRET).settings
    assert settings.client_secret.get_secret_value() == SECRET
    assert isinstance(settings.client_secret, SecretStr)
    assert pydantic.TypeAdapter(type(settings)).dump_python(settings)["client_secret"] != SECRET
