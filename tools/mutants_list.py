"""The mutants of `tools/mutants`: each takes one protection away, and names the tests that must notice it."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of one file.

    Attributes:
        name: what is taken away.
        file: below `credconf/`.
        old: the text that is replaced.
        new: what stands there instead.
        tests: arguments of pytest; the tests that hold the protection.
        occurrence: which of several equal texts, from 1.
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
TOKENS = (f"{HOME}/test_tokens.py", "-k", "quoted and sync")
FOUND = (f"{HOME}/test_hostile_destinations.py", "-k", "found or judged")
TRANSPORT = ("tests/entra/test_transport.py", "-k", "secret or payload or traceback or locals")
TENANTS = (f"{HOME}/test_hostile_destinations.py", "-k", "tenant_of_a_request")
DOCUMENTS = (f"{HOME}/test_hostile_destinations.py", "-k", "oidc_document or transport_reads")
SHOWN = (f"{HOME}/test_hostile_configuration.py", "-k", "that_a_configuration_names_is_shown and name")
COMMANDS = (f"{HOME}/test_hostile_configuration.py", "-k", "no_command_shows and name")
ESCAPES = (f"{HOME}/test_hostile_configuration.py", "-k", "terminal or forges")
RUNS = (f"{HOME}/test_hostile_configuration.py", "-k", "runs")
REDACTED = (f"{HOME}/test_redaction.py",)
ODD = (f"{HOME}/test_odd_values.py",)
BUNDLES = (f"{HOME}/test_hostile_sizes.py", "-k", "certificates or redis")
COUNTED = (f"{HOME}/test_hostile_sizes.py", "-k", "so_many or alike or nearly")
DEVICES = (f"{HOME}/test_hostile_sizes.py", "-k", "device or what_the_system or would_take_long")


def _shown(name: str, file: str, field: str, *, occurrence: int = 1) -> Mutant:
    """A mutant that lets a record print a field."""
    return Mutant(name, file, field, field.replace("repr=False", "repr=True"), RECORDS, occurrence)


MUTANTS = (
    # What objects print
    _shown(
        "proof: its credential is printed", "kinds/proof.py", "credential: str | dict[str, Any] = field(repr=False)"
    ),
    _shown("proof: its secrets are printed", "kinds/proof.py", "secrets: tuple[str, ...] = field(repr=False)"),
    _shown("answer: its token is printed", "entra/client.py", "token: str = field(repr=False)"),
    _shown("response: its body is printed", "entra/http.py", "text: str = field(repr=False)"),
    _shown("response: its headers are printed", "entra/http.py", "field(repr=False, default_factory=dict[str, str])"),
    _shown("transport: the proxy is printed", "entra/http.py", "proxy: str | None = field(default=None, repr=False)"),
    _shown("request: its tenant is printed", "tokens/request.py", "tenant: str | None = field(repr=False)"),
    _shown("request: its key is printed", "tokens/request.py", "key: Key = field(repr=False)"),
    _shown("request: its claims are printed", "tokens/request.py", "claims: str | None = field(repr=False)"),
    _shown(
        "reader: the environment is printed", "references/__init__.py", "environ: Mapping[str, str] = field(repr=False)"
    ),
    _shown("reader: .env is printed", "references/__init__.py", "field(default_factory=dict, repr=False)"),
    _shown("document: its text is printed", "config/document.py", 'text: str = field(default="", repr=False)'),
    _shown(".env: its text is printed", "config/dotenv.py", 'text: str = field(default="", repr=False)'),
    _shown("value: what was written is printed", "config/origins.py", "raw: Any = field(repr=False)"),
    _shown("value: its node is printed", "config/origins.py", "node: Any = field(default=None, repr=False)"),
    _shown("token command: the token is printed", "cli/token.py", "info: AccessTokenInfo = field(repr=False)"),
    _shown("command: its arguments are printed", "references/command.py", "Field(min_length=1, repr=False)"),
    Mutant(
        "records print every field",
        "records.py",
        "tuple(name for name in names if name not in fields or fields[name].repr)",
        "names",
        RECORDS,
    ),
    Mutant(
        "variables are printed",
        "config/variables.py",
        'return f"<{len(self)} hidden>"',
        "return repr(self._items)",
        RECORDS,
    ),
    Mutant("a payload is printed", "entra/payload.py", 'return "<payload>"', "return repr(self._data)", RECORDS),
    Mutant("a redactor is printed", "entra/redaction.py", 'return "<redactor>"', "return repr(self._secrets)", RECORDS),
    Mutant(
        "an identity prints what came from a file",
        "kinds/identity.py",
        'return "(hidden: read from a file)" if name in self.hidden else printable(value)',
        "return printable(value)",
        (*RECORDS, *SHOWN[:1], "-k", "identity or (names_is_shown and name)"),
    ),
    Mutant(
        "our models quote their input",
        "config/building.py",
        "hide_input_in_errors=True",
        "hide_input_in_errors=False",
        RECORDS,
    ),
    # What copies take with them
    Mutant("variables are pickled", "config/variables.py", "def __reduce__", "def _reduce", SURFACES),
    Mutant(
        "settings with a secret are pickled",
        "config/settings.py",
        "if any(isinstance(item",
        "if False and any(isinstance(item",
        SURFACES,
    ),
    Mutant(
        "a proxy's password is pickled",
        "config/settings.py",
        "if isinstance(self.proxy, SecretStr) and",
        "if False and",
        SURFACES,
    ),
    # What frames hold while something is raised
    Mutant(
        "the constructor of a secret keeps its arguments",
        "credential.py",
        "del client_secret, options  #",
        "pass  #",
        CONSTRUCTORS,
    ),
    Mutant(
        "the constructor of a certificate keeps its options", "credential.py", "        del options\n", "", CONSTRUCTORS
    ),
    Mutant("load() keeps its arguments", "factory.py", "    del environ, overrides  #", "    pass  #", ARGUMENTS),
    Mutant(
        "from_config() keeps its arguments", "factory.py", "    del environ, overrides  #", "    pass  #", ARGUMENTS, 2
    ),
    Mutant("build() keeps its configuration", "factory.py", "    del configuration  #", "    pass  #", ARGUMENTS),
    Mutant("arguments are not hidden", "factory.py", "Hidden(dict(overrides))", "dict(overrides)", ARGUMENTS),
    Mutant(
        "an interrupt keeps the frames below", "tokens/interrupts.py", "exc.with_traceback(None)", "exc", INTERRUPTS
    ),
    Mutant(
        "an interrupt keeps its context",
        "tokens/interrupts.py",
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
        "            _hide_pieces(view, each, secrets, hidden)\n",
        "",
        HELD,
    ),
    *(
        Mutant(f"what is held is quoted: {name}", file, old, new, REDACTED)
        for name, file, old, new in (
            (
                "encoded in another way",
                "entra/redaction.py",
                "(plain(text), decoded(text))",
                "(plain(text), plain(text))",
            ),
            ("encoded twice", "entra/decoding.py", "_ROUNDS: Final = 2", "_ROUNDS: Final = 1"),
            ("in large letters", "entra/redaction.py", "views[0].lowered()", "views[0]"),
            (
                "with half a character",
                "entra/redaction.py",
                'quote_plus(secret, errors="replace")',
                "quote_plus(secret)",
            ),
            ("the passwords of URLs", "entra/client.py", "        yield from self._identity.passwords()\n", ""),
            ("the others of a list", "entra/client.py", "        yield from others()\n", ""),
            ("those before it", "tokens/source.py", "(*trial.proofs, ", "("),
            ("those of other requests", "tokens/source.py", "*self._readings.held(), ", ""),
            (
                "the key of a cache",
                "tokens/source.py",
                "        if isinstance(text, str):\n            yield text\n",
                "",
            ),
            ("tokens", "entra/redaction.py", "held += _within(windows, self._tokens())", "held += []"),
        )
    ),
    Mutant(
        "a short secret spoils our own sentences", "entra/sending.py", "asked.redact.ours(", "asked.redact(", REDACTED
    ),
    Mutant("an assertion is quoted", "entra/client.py", "        self._asked.redact.add(data)\n", "", SENT_BACK),
    Mutant(
        "a token is quoted",
        "entra/redaction.py",
        "_TOKEN.sub(_REMOVED, _shown(text, hidden))",
        "_shown(text, hidden)",
        TOKENS,
    ),
    Mutant(
        "a named token is quoted",
        "entra/redaction.py",
        '_NAMED.sub(rf"\\1{_REMOVED}", ',
        "str(",
        TOKENS,
    ),
    Mutant(
        "a key that is no name is quoted",
        "config/nodes.py",
        'return key if looks_like_a_name else "…"',
        "return key",
        FAULTS,
    ),
    Mutant("an excerpt shows values", "config/blanked.py", "shown += BLANK", "shown += line", FAULTS),
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
    Mutant("an endless port is thrown back", "config/caches.py", '":0*([1-9][0-9]*)', '":([0-9]+)', ODD),
    Mutant("half a URL is thrown back", "kinds/identity.py", "except ValueError:  # a", "except OSError:  # a", ODD),
    Mutant(
        "a scope forges a line",
        "tokens/source.py",
        'printable(" ".join(request.scopes))',
        '" ".join(request.scopes)',
        ODD,
    ),
    # Where a secret goes
    Mutant(
        "an OIDC document may name another host",
        "entra/discovery.py",
        "not in {_origin_of(url)} - {None}",
        "is None",
        DOCUMENTS,
    ),
    Mutant(
        "an ambiguous URL is judged", "entra/discovery.py", "or not _PLAIN_ORIGIN.match(url)", "or False", DOCUMENTS
    ),
    Mutant(
        "the transport reads a host in another way",
        "entra/pools.py",
        "connection_from_host(parts.hostname, _port_of(parts), parts.scheme)",
        "connection_from_url(origin)",
        DOCUMENTS,
    ),
    Mutant("a tenant may be anything", "entra/clouds.py", "if not _TENANT.fullmatch(text):", "if False:", TENANTS),
    Mutant("a tenant may be a parent directory", "entra/clouds.py", 'if text in {".", ".."}:', "if False:", TENANTS),
    *(
        Mutant(f"a found file may set {path}", "config/redirection.py", old, old.replace(path, "nothing"), FOUND)
        for path, old in {
            "oidc_authority": '{"oidc_authority", ',
            "http.proxy": '"http.proxy", "http',
            "http.ca_bundle": '"http.ca_bundle", "tok',
            "token_cache.url": '"token_cache.url", "token_cache.key"})',
            "token_cache.key": '"token_cache.key"})',
            "disable_instance_discovery": '{"disable_instance_discovery", ',
            "allow_unencrypted_storage": '.allow_unencrypted_storage"})',
            "authority": 'path == "authority"',
            "tenant_id": 'path == "tenant_id"',
            "region": 'path == "region"',
        }.items()
    ),
    *(
        Mutant(f"a found file may redirect: {name}", "config/redirection.py", old, new, FOUND)
        for name, old, new in (
            ("by a reference to a found variable", "(value.origin.found or answered)", "value.origin.found"),
            ("what an id refers to", "in _REFERRED.get(path, ()):", "in ():"),
            ("a password", "in _PASSWORDS.get(path, ()):", "in ():"),
            ("what lies in the home directory", 'f"{home}{os.sep}".startswith(', 'str().startswith("x" + '),
            ("what lies deep below it", "len(steps) <= _DEEPEST", "True"),
            ("what is hidden", 'step.startswith(".")', "False"),
            ("what lies outside", "not os.path.isabs(inside) and", ""),
        )
    ),
    Mutant(
        "a found variable is read from the environment",
        "references/__init__.py",
        "return {} if self.pinned is not None and",
        "return {} if False and",
        FOUND,
    ),
    Mutant(
        "nothing found is pinned", "config/resolution.py", "pinned=answered_by(found", "pinned=answered_by({}", FOUND
    ),
    Mutant(
        "a copy asks a found file for anything",
        "blueprint.py",
        "    if pinned is not None:  #",
        "    if False:  #",
        FOUND,
    ),
    Mutant(
        "every secret is a found one",
        "config/redirection.py",
        "return origin.found and (",
        "return (",
        FOUND,
    ),
    # What a hostile configuration does
    Mutant("a command runs without leave", "references/command.py", "    if not allowed:\n", "    if False:\n", RUNS),
    Mutant(
        "show prints what came from a file",
        "config/provenance.py",
        "known = identity is not None and path not in identity.hidden",
        "known = identity is not None",
        COMMANDS,
    ),
    Mutant("escapes reach the terminal", "problems/printable.py", "if text.isprintable():", "if True:", ESCAPES),
    Mutant(
        "a path is written as it is", "references/file.py", "return printable(self.file)", "return self.file", ESCAPES
    ),
    Mutant(
        "a device is opened",
        "config/files.py",
        "        if not stat.S_ISREG(mode):\n            return _not_regular(mode)\n        descriptor",
        "        descriptor",
        DEVICES,
    ),
    Mutant("certificates come from a device", "entra/sockets.py", "if unusable is not None:", "if False:", BUNDLES),
    Mutant(
        "build() takes any certificates", "blueprint.py", "if bundle is not None else []", "if False else []", BUNDLES
    ),
    Mutant(
        "load() takes any certificates",
        "config/resolution.py",
        "        if bundle is not None:\n",
        "        if False:\n",
        BUNDLES,
    ),
    Mutant("a Redis trusts a pipe", "tokens/redis_client.py", "if unusable is not None:", "if False:", BUNDLES),
    Mutant("certificates have no limit", "config/files.py", "found.st_size > BUNDLE_LIMIT", "False", BUNDLES),
    Mutant("secrets are not counted", "config/fields.py", "if len(value) > MOST_SECRETS:", "if False:", COUNTED),
    Mutant("choices are not counted", "problems/suggestions.py", "if len(by_folded) > _MOST:", "if False:", COUNTED),
    Mutant("variables are not counted", "config/nearly.py", "if compared <= MAX_COMPARED", "if True", COUNTED),
    Mutant("blanks are not counted", "config/dotenv.py", "    elif blanks is not None:", "    elif False:", DEVICES),
    Mutant("lines are not counted", "config/dotenv.py", "    if len(lines) > MAX_LINES:", "    if False:", DEVICES),
)
