"""What an editor shows of the public interface is complete in itself, and alike where two things are alike."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from textwrap import dedent

import pytest

import credconf
from credconf import aio, errors, http_auth, testing

FUNCTIONS = [
    credconf.from_config,
    credconf.load,
    credconf.build,
    credconf.get_bearer_token_provider,
    aio.from_config,
    aio.build,
    aio.get_bearer_token_provider,
    http_auth.for_httpx,
    http_auth.for_requests,
]
TWINS = [name for name in aio.__all__ if name.endswith("Credential") and name != "Credential"]
METHODS = ["get_token", "get_token_info", "verify", "on_behalf_of", "close"]
CLASSES = [getattr(module, name) for module in (credconf, aio) for name in TWINS]
EVERY = [
    *FUNCTIONS,
    *CLASSES,
    *(getattr(face, name) for face in (credconf.Credential, aio.Credential) for name in METHODS),
]


def sections(thing) -> dict[str, str]:
    """The sections of a docstring by their titles; what precedes them is without a title."""
    parts = re.split(r"^(Args|Returns|Raises|Example|Attributes):\n", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], map(dedent, parts[2::2]), strict=True))}


def described(thing, section) -> dict[str, str]:
    """What a section says of each name, in one line."""
    entries = re.split(r"^(\*{0,2}\w+): ", sections(thing).get(section, ""), flags=re.MULTILINE)[1:]
    return {name.strip("*"): " ".join(text.split()) for name, text in zip(entries[::2], entries[1::2], strict=True)}


def named(thing) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


@pytest.mark.parametrize("thing", EVERY, ids=named)
def test_it_is_complete_in_itself(thing):
    assert "see `" not in (inspect.getdoc(thing) or "").lower()
    subject = thing.__init__ if inspect.isclass(thing) else thing
    parameters = [name for name in inspect.signature(subject).parameters if name != "self"]
    assert list(described(thing, "Args")) == parameters
    assert described(thing, "Raises") or thing.__name__ == "close"
    assert sections(thing)[""].partition("\n")[0].endswith(".")


@pytest.mark.parametrize("thing", [each for each in FUNCTIONS if "token" not in each.__name__], ids=named)
def test_a_function_says_what_it_returns(thing):
    assert sections(thing)["Returns"].strip()


@pytest.mark.parametrize("thing", [credconf.from_config, credconf.load, aio.from_config], ids=named)
def test_the_entrance_has_an_example(thing):
    assert "```python\n" in sections(thing)["Example"]


@pytest.mark.parametrize("thing", [credconf.load, aio.from_config], ids=named)
def test_an_argument_of_two_functions_is_described_alike(thing):
    ours = described(credconf.from_config, "Args")
    assert described(thing, "Args") == {name: text for name, text in ours.items() if name in described(thing, "Args")}
    assert described(thing, "Raises") == described(credconf.from_config, "Raises")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_both_faces_is_described_alike(name):
    assert inspect.getdoc(getattr(aio.Credential, name)) == inspect.getdoc(getattr(credconf.Credential, name))


@pytest.mark.parametrize("name", TWINS)
def test_a_class_of_both_faces_is_described_alike(name):
    ours = inspect.getdoc(getattr(credconf, name)) or ""
    assert inspect.getdoc(getattr(aio, name)) == ours.replace("`azure.identity.", "`azure.identity.aio.")


@pytest.mark.parametrize("name", TWINS)
def test_a_class_names_every_option_that_it_takes(name):
    from credconf.azure_identity import options

    own = {
        "CertificateCredential": options.CertificateOptions,
        "WorkloadIdentityCredential": options.WorkloadOptions,
        "ManagedIdentityCredential": options.ManagedIdentityOptions,
    }.get(name, options.Options)
    assert set(re.findall(r"`(\w+)`", described(getattr(credconf, name), "Args")["options"])) >= set(
        own.__annotations__
    ) - {"certificate_data"}


@pytest.mark.parametrize("thing", [testing.FakeEntra, testing.StaticCredential], ids=named)
def test_an_example_at_the_prompt_works(thing):
    module = importlib.import_module(thing.__module__)
    (found,) = doctest.DocTestFinder(recurse=False).find(thing, globs=dict(vars(module)))
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        inspect.getdoc(each) or ""
        for each in (*EVERY, errors.ConfigError, errors.AuthenticationError, testing.FakeEntra)
    ],
)
def test_the_site_shows_an_example_as_code(text):
    """mkdocstrings takes only `Examples` for code at a prompt, and only a fence for other code."""
    assert not re.search(r"^Example:\n +>>>", text, re.MULTILINE)
    assert "::\n" not in text
