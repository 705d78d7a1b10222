"""The mutants of `tools/mutants`. Each removes one protection, and names the tests that must detect it.

This module contains those of secrecy. `mutants_hostile` contains those of hostile configurations and servers.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of one file.

    Attributes:
        name: the behaviour of the mutant.
        file: the path below `credconf/`.
        old: the text to replace.
        new: the replacement.
        tests: the arguments of pytest that select the tests of the protection.
        occurrence: the number of the occurrence of `old`, from 1.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    occurrence: int = 1


HOME = "tests/secrecy"
RECORDS = (f"{HOME}/test_records.py",)
SURFACES = (f"{HOME}/test_surfaces.py", "-k", "(literal and credential and sync) or pickle or parts")
CONSTRUCTORS = (f"{HOME}/test_configuration.py", "-k", "constructor and sync")
ARGUMENTS = (f"{HOME}/test_configuration.py", "-k", "argument and sync and (misspelt or tenant)")
FAULTS = (f"{HOME}/test_configuration.py", "-k", "fault_of_a_file and sync and load")
SENT_BACK = (f"{HOME}/test_failures.py", "-k", "sends_back and sync and 400")
HELD = (f"{HOME}/test_failures.py", "-k", "holds and sync-literal and not found")
INTERRUPTS = (f"{HOME}/test_failures.py", f"{HOME}/test_interrupts.py", "-k", "interrupt and not async")
EXCEPTIONS = (f"{HOME}/test_failures.py", "-k", "applications_client and sync")
USERS = (f"{HOME}/test_users.py",)
ACTING = ("tests/contract/test_on_behalf_of.py",)
TOKENS = (f"{HOME}/test_tokens.py", "-k", "quoted and sync")
LIVE = (f"{HOME}/test_live_frames.py",)
TRANSPORT = ("tests/entra/test_transport.py", "-k", "secret or payload or traceback or locals")
SHOWN = (f"{HOME}/test_hostile_configuration.py", "-k", "that_a_configuration_names_is_shown and name")
REDACTED = (f"{HOME}/test_redaction.py",)
ODD = (f"{HOME}/test_odd_values.py",)


def _shown(name: str, file: str, field: str, *, occurrence: int = 1) -> Mutant:
    """A mutant that lets a record print a field."""
    return Mutant(name, file, field, field.replace("repr=False", "repr=True"), RECORDS, occurrence)


MUTANTS = (
    # What objects print
    _shown("proof: its credential is printed", "entra/proof.py", "credential: str = field(repr=False)"),
    _shown("proof: its secrets are printed", "entra/proof.py", "secrets: tuple[str, ...] = field(repr=False)"),
    _shown("answer: its token is printed", "entra/messages.py", "token: str = field(repr=False)"),
    _shown("response: its body is printed", "entra/http.py", "text: str = field(repr=False)"),
    _shown("response: its headers are printed", "entra/http.py", "field(repr=False, default_factory=dict[str, str])"),
    _shown("transport: the proxy is printed", "entra/http.py", "proxy: str | None = field(default=None, repr=False)"),
    _shown("request: its tenant is printed", "entra/request.py", "tenant: str | None = field(repr=False)"),
    _shown("request: its key is printed", "entra/request.py", "key: Key = field(repr=False)"),
    _shown("request: its claims are printed", "entra/request.py", "claims: str | None = field(repr=False)"),
    _shown(
        "reader: the environment is printed", "references/base.py", "environ: Mapping[str, str] = field(repr=False)"
    ),
    _shown("reader: .env is printed", "references/base.py", "field(default_factory=dict, repr=False)"),
    _shown("document: its text is printed", "config/reading/nodes.py", 'text: str = field(default="", repr=False)'),
    _shown(".env: its text is printed", "config/dotenv.py", 'text: str = field(default="", repr=False)'),
    _shown("value: what was written is printed", "config/layers.py", "raw: Any = field(repr=False)"),
    _shown("value: its node is printed", "config/layers.py", "node: Any = field(default=None, repr=False)"),
    _shown("token command: the token is printed", "cli/token.py", "info: AccessTokenInfo = field(repr=False)"),
    _shown("command: its arguments are printed", "references/command.py", "Field(min_length=1, repr=False)"),
    Mutant(
        "records print every field",
        "ground/records.py",
        "tuple(name for name in names if name not in fields or fields[name].repr)",
        "names",
        RECORDS,
    ),
    Mutant(
        "variables are printed",
        "ground/opaque.py",
        'return f"<{len(self)} hidden>"',
        "return repr(self._items)",
        RECORDS,
    ),
    Mutant("a payload is printed", "entra/messages.py", 'return "<payload>"', "return repr(self._data)", RECORDS),
    Mutant("a form is printed", "entra/messages.py", 'return "<form>"', "return repr(self.opened())", LIVE),
    Mutant("a box is printed", "ground/opaque.py", 'return "<opaque>"', "return repr(self.content)", LIVE),
    Mutant("a reply is printed", "entra/messages.py", 'return "<reply>"', "return repr(self.text)", LIVE),
    Mutant(
        "MSAL is given the secret",
        "entra/client.py",
        "built = self._build(proof.parameter, request, sender, context)",
        '_PLACEHOLDERS["client_secret"] = proof.credential\n            '
        "built = self._build(proof.parameter, request, sender, context)",
        LIVE,
    ),
    Mutant(
        "a request is sent as bytes",
        "entra/messages.py",
        "return memoryview(self._written)",
        "return memoryview(bytes(self._written)).tobytes()  # type: ignore[return-value]",
        LIVE,
    ),
    Mutant(
        "a value of a form is in a variable",
        "entra/messages.py",
        '                self._body += f"{name}=".encode()\n',
        '                value = self._fields[name]\n                self._body += f"{name}=".encode()\n',
        LIVE,
    ),
    Mutant(
        "the URL of a proxy is in a variable",
        "entra/transport.py",
        "        proxy = self._proxy_for(url)\n",
        "        proxy, named = self._proxy_for(url), self._options.proxy\n",
        LIVE,
    ),
    Mutant("a redactor is printed", "entra/redaction.py", 'return "<redactor>"', "return repr(self._secrets)", RECORDS),
    Mutant(
        "an identity prints what came from a file",
        "entra/request.py",
        'return "(hidden: read from a file)" if name in self.hidden else printable(value)',
        "return printable(value)",
        (*RECORDS, *SHOWN[:1], "-k", "identity or (names_is_shown and name)"),
    ),
    Mutant(
        "our models quote their input",
        "ground/deferred.py",
        "hide_input_in_errors=True",
        "hide_input_in_errors=False",
        RECORDS,
    ),
    # What copies take with them
    Mutant("variables are pickled", "ground/opaque.py", "def __reduce__", "def _reduce", SURFACES, 2),
    Mutant(
        "settings with a secret are pickled",
        "settings/fields.py",
        "is_secret = isinstance(item, SecretStr) and (not each.accepts_url or",
        "is_secret = isinstance(item, SecretStr) and (False and not each.accepts_url or",
        SURFACES,
    ),
    Mutant(
        "a proxy's password is pickled",
        "settings/fields.py",
        'or "@" in item.get_secret_value())',
        "or False)",
        SURFACES,
    ),
    # What frames hold while something is raised
    Mutant(
        "the constructor of a secret keeps its arguments",
        "azure_identity/__init__.py",
        "del client_secret, options  #",
        "pass  #",
        CONSTRUCTORS,
    ),
    Mutant(
        "the constructor of a certificate keeps its options",
        "azure_identity/__init__.py",
        "        del options\n",
        "",
        CONSTRUCTORS,
    ),
    Mutant("load() keeps its arguments", "factory.py", "    del environ, overrides  #", "    pass  #", ARGUMENTS),
    Mutant(
        "from_config() keeps its arguments", "factory.py", "    del environ, overrides  #", "    pass  #", ARGUMENTS, 2
    ),
    Mutant("build() keeps its configuration", "factory.py", "    del configuration  #", "    pass  #", ARGUMENTS),
    Mutant("arguments are not hidden", "factory.py", "Hidden(dict(overrides))", "dict(overrides)", ARGUMENTS),
    Mutant("an interrupt keeps the frames below", "ground/causes.py", "exc.with_traceback(None)", "exc", INTERRUPTS),
    Mutant(
        "an interrupt keeps its context",
        "ground/causes.py",
        "    interrupt.__cause__ = interrupt.__context__ = None\n",
        "",
        INTERRUPTS,
    ),
    Mutant(
        "a payload is not wiped", "entra/transport.py", "            payload.wipe()\n", "            pass\n", TRANSPORT
    ),
    Mutant("the transport keeps a form", "entra/transport.py", "        del params, headers, data\n", "", TRANSPORT),
    # What errors say
    Mutant(
        "a client's exception is quoted",
        "entra/sending.py",
        'f"the HTTP client failed with {type(exc).__name__}"',
        'f"the HTTP client failed with {exc!r}"',
        EXCEPTIONS,
    ),
    Mutant(
        "a part of a secret is quoted",
        "entra/redaction.py",
        "not shared.isdisjoint(_pieces_of(views)) or ",
        "",
        HELD,
    ),
    *(
        Mutant(f"what is held is quoted: {name}", file, old, new, REDACTED)
        for name, file, old, new in (
            (
                "encoded in another way",
                "entra/redaction.py",
                "return _as_bytes(text), decoded(text)",
                "return _as_bytes(text), _as_bytes(text)",
            ),
            ("encoded twice", "entra/redaction.py", "_ROUNDS: Final = 2", "_ROUNDS: Final = 1"),
            ("in large letters", "entra/redaction.py", "_as_bytes(text).lower()", "_as_bytes(text)"),
            (
                "with half a character",
                "entra/redaction.py",
                'quote_plus(secret, errors="replace")',
                "quote_plus(secret)",
            ),
            ("the passwords of URLs", "entra/client.py", "        yield from self._identity.passwords()\n", ""),
            ("the others of a list", "entra/client.py", "        yield from others()\n", ""),
            ("those before it", "tokens/requester.py", "(*selector.proofs, ", "("),
            ("those of other requests", "tokens/requester.py", "*self._proofs.held(), ", ""),
            (
                "the key of a cache",
                "tokens/requester.py",
                "yield from other_secrets(self._blueprint.settings, self._blueprint.reader)",
                "",
            ),
            ("tokens", "entra/redaction.py", "held += _quoted(self._tokens(), pieces)", "held += []"),
        )
    ),
    Mutant(
        "a short secret spoils our own sentences",
        "entra/sending.py",
        "context.redact.ours(",
        "context.redact(",
        REDACTED,
    ),
    Mutant("an assertion is quoted", "entra/client.py", "        context.redact.add(opaque)\n", "", SENT_BACK),
    Mutant(
        "a user's token is quoted",
        "entra/client.py",
        "context.redact.add(request.user.assertion)",
        "pass",
        (*USERS, "-k", "shows_the_users_token and echoing"),
    ),
    Mutant(
        "the claims of a refusal quote a secret",
        "entra/sending.py",
        "return None if context.redact.finds_secret(text) else text",
        "return text",
        (*USERS, "-k", "claims"),
    ),
    Mutant(
        "a user's token is in a frame",
        "credential.py",
        "        del user_assertion  # a traceback with locals shows this frame\n",
        "",
        (*USERS, "-k", "refused_at_once and sync"),
    ),
    Mutant(
        "users share tokens",
        "entra/request.py",
        'return scopes, tenant or "", cae, user.digest',
        'return scopes, tenant or "", cae, b""',
        (*ACTING, "-k", "no_user_gets"),
    ),
    Mutant(
        "the tokens of users are shared by processes",
        "engine.py",
        "return self._coordinator if request.user is None else None",
        "return self._coordinator",
        (*ACTING, "-k", "no_shared_cache"),
    ),
    Mutant(
        "a token is quoted",
        "entra/redaction.py",
        "eyJ[A-Za-z0-9_-]{8,}|",
        "",
        TOKENS,
    ),
    Mutant(
        "a named token is quoted",
        "entra/redaction.py",
        "(?i:access|refresh|id)_",
        "(?!)_",
        TOKENS,
    ),
    Mutant(
        "a key that is no name is quoted",
        "problems/wording.py",
        'return key if looks_like_a_name else "…"',
        "return key",
        FAULTS,
    ),
    Mutant("an excerpt shows values", "config/reading/excerpts.py", "shown += BLANK", "shown += line", FAULTS),
    # Values that a library throws back
    Mutant(
        "a password of other bytes is refused",
        "kinds/client_certificate.py",
        'password.encode(errors="surrogateescape")',
        "password.encode()",
        ODD,
    ),
    Mutant(
        "half a character is thrown back",
        "kinds/client_certificate.py",
        "except UnicodeEncodeError:",
        "except OSError:",
        ODD,
    ),
    Mutant(
        "an odd certificate is thrown back",
        "kinds/client_certificate.py",
        "except Exception:  # noqa: BLE001 - cryptography fails on",
        "except OSError:  # noqa: BLE001 - cryptography fails on",
        ODD,
    ),
    Mutant(
        "what a rule says is thrown back",
        "kinds/readable.py",
        "except ValueError:  # from",
        "except OSError:  # from",
        ODD,
    ),
    Mutant(
        "an endless port is thrown back",
        "settings/urls.py",
        'HOST: Final = rf"{NAME_OR_ADDRESS}(?::0*{PORT})?"',
        'HOST: Final = rf"{NAME_OR_ADDRESS}(?::[0-9]+)?"',
        ODD,
    ),
    Mutant("half a URL is thrown back", "entra/request.py", "except ValueError:  # a", "except OSError:  # a", ODD),
    Mutant(
        "a scope forges a line",
        "tokens/requester.py",
        'printable(" ".join(request.scopes))',
        '" ".join(request.scopes)',
        ODD,
    ),
)
