"""The mutants of protections against hostile configurations and servers: destinations, execution, and limits."""

from __future__ import annotations

from mutants_list import HOME, Mutant

FOUND = (f"{HOME}/test_hostile_destinations.py", "-k", "found or judged")
TENANTS = (f"{HOME}/test_hostile_destinations.py", "-k", "tenant_of_a_request")
DOCUMENTS = (f"{HOME}/test_hostile_destinations.py", "-k", "oidc_document or transport_connects")
RUNS = (f"{HOME}/test_hostile_configuration.py", "-k", "runs")
DEVICES = (f"{HOME}/test_hostile_sizes.py", "-k", "device or what_the_system or would_take_long")
BUNDLES = (f"{HOME}/test_hostile_sizes.py", "-k", "certificates or redis")
COUNTED = (f"{HOME}/test_hostile_sizes.py", "-k", "so_many or alike or nearly")
COMMANDS = (f"{HOME}/test_hostile_configuration.py", "-k", "no_command_shows and name")
RUNNERS = (f"{HOME}/test_runner_commands.py",)
JSON_LINES = ("tests/problems/test_wording.py", "-k", "json")
WRONG_CALLS = ("tests/cli/test_runner_commands.py", "-k", "in_an_argument")
RAW_TOKENS = ("tests/cli/test_runner_commands.py", "-k", "raw_token")
CACHES = (f"{HOME}/test_hostile_caches.py", "-k", "set_aside or lock or anew or can_not_be_one")
REDIS = (f"{HOME}/test_hostile_caches.py", "-k", "redis")
ESCAPES = (f"{HOME}/test_hostile_configuration.py", "-k", "terminal or forges")

ASSERTIONS = ("tests/kinds/test_client_assertion.py",)
IDENTITIES = ("tests/kinds/test_managed_identity.py", "-k", "another or key or arc")
HOSTILE = (
    # Destinations of a secret
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
        "entra/connections.py",
        "return url.hostname, port or",
        "return url.netloc, port or",
        DOCUMENTS,
    ),
    Mutant("a tenant may be anything", "settings/formats.py", "if re.fullmatch(_TENANT, text):", "if True:", TENANTS),
    Mutant(
        "a tenant may be a parent directory",
        "settings/formats.py",
        r'_TENANT = rf"(?!\.{{1,2}}$)',
        '_TENANT = rf"',
        TENANTS,
    ),
    *(
        Mutant(
            f"a found file may set {path}",
            file,
            f"redirects={old}",
            "redirects=None if True else " + old,
            FOUND,
            number,
        )
        for path, file, old, number in (
            ("tenant_id", "kinds/application.py", 'Redirects(("server",), unless=is_not_adfs)', 1),
            ("authority", "kinds/application.py", 'Redirects(("server",), unless=is_well_known_host)', 1),
            ("oidc_authority", "kinds/application.py", 'Redirects(("server",))', 1),
            ("disable_instance_discovery", "kinds/application.py", 'Redirects(("server",), unless=is_switched_off)', 1),
            ("region", "kinds/application.py", 'Redirects(("server",), unless=is_beside_well_known)', 1),
            ("http.proxy", "settings/http_settings.py", 'Redirects(("server", "proxy"))', 1),
            ("http.ca_bundle", "settings/http_settings.py", 'Redirects(("server", "login", "store", "key"))', 1),
            ("token_cache.url", "stores/redis.py", 'Redirects(("key", "store"), keeps=True)', 1),
            ("token_cache.key", "stores/redis.py", "Redirects(keeps=True)", 1),
            ("allow_unencrypted_storage", "stores/file.py", "Redirects(keeps=True, unless=is_switched_off)", 1),
        )
    ),
    Mutant(
        "a found file may set token_cache.sentinel",
        "stores/redis.py",
        'redirects=Redirects(("key", "store"), keeps=True)',
        "redirects=None",
        ("tests/stores/test_settings.py", "-k", "only_found"),
        2,
    ),
    *(
        Mutant(f"a found file may redirect: {name}", file, old, new, FOUND)
        for name, file, old, new in (
            (
                "by a reference to a found variable",
                "config/safety.py",
                "(value.origin.discovered or answered)",
                "value.origin.discovered",
            ),
            ("what an id refers to", "config/safety.py", "if not each.hidden and", "if False and"),
            ("a password", "config/safety.py", "if each.hidden and", "if False and"),
            (
                "a file in the home directory",
                "references/file.py",
                'f"{home}{os.sep}".startswith(',
                'str().startswith("x" + ',
            ),
            ("a file deep below it", "references/file.py", "len(steps) > _DEEPEST", "False"),
            ("what is hidden", "references/file.py", 'step.startswith(".")', "False"),
            ("a file outside", "references/file.py", "if os.path.isabs(inside):", "if False:"),
        )
    ),
    Mutant(
        "a found variable is read from the environment",
        "references/base.py",
        "return {} if self.pinned is not None and",
        "return {} if False and",
        FOUND,
    ),
    Mutant(
        "nothing found is pinned", "config/judging.py", "pinned=answered_by(from_dotenv", "pinned=answered_by({}", FOUND
    ),
    Mutant(
        "a copy asks a found file for anything",
        "assembly.py",
        "    if pinned is not None:  #",
        "    if False:  #",
        FOUND,
    ),
    Mutant(
        "every secret is a found one",
        "config/safety.py",
        "if origin.discovered:\n        return None",
        "if True:\n        return None",
        FOUND,
    ),
    # What a hostile configuration does
    Mutant(
        "a command runs without leave",
        "references/base.py",
        "if reference.allowed_by is not None and",
        "if False and",
        RUNS,
    ),
    Mutant(
        "show prints what came from a file",
        "config/show.py",
        "text = identity.texts.get(path) if path not in identity.hidden else None",
        "text = identity.texts.get(path)",
        COMMANDS,
    ),
    Mutant("escapes reach the terminal", "problems/wording.py", "if not text.isprintable():", "if False:", ESCAPES),
    Mutant(
        "commands reach a runner",
        "problems/wording.py",
        'if "##" not in text and "::" not in text:',
        "if True:",
        RUNNERS,
    ),
    Mutant("JSON holds commands", "problems/wording.py", '.replace("##", "#\\\\u0023")', "", JSON_LINES),
    Mutant("a wrong call quotes commands", "cli/__init__.py", "map(printable, error", "map(str, error", WRONG_CALLS),
    Mutant("a raw token may be a command", "cli/token.py", "if harmless(text) != text:", "if False:", RAW_TOKENS),
    Mutant(
        "a path is written as it is", "references/file.py", "return printable(self.name)", "return self.name", ESCAPES
    ),
    Mutant(
        "a device is opened",
        "ground/files.py",
        "        if not stat.S_ISREG(mode):\n            return _not_regular(mode)\n        descriptor",
        "        descriptor",
        DEVICES,
    ),
    Mutant(
        "certificates come from a device",
        "entra/sockets.py",
        "if unusable := unreadable_bundle(path) or",
        "if unusable := None and",
        BUNDLES,
    ),
    Mutant(
        "load() and build() take any certificates",
        "kinds/readable.py",
        "if path is None or why is None:",
        "if True:",
        BUNDLES,
    ),
    Mutant("a Redis trusts a pipe", "stores/redis_connections.py", "if unusable is not None:", "if False:", BUNDLES),
    Mutant("certificates have no limit", "ground/bundles.py", "= 16 * 1024 * 1024", "= 1 << 40", BUNDLES),
    Mutant("secrets are not counted", "settings/fields.py", "if len(value) > MOST_SECRETS:", "if False:", COUNTED),
    Mutant(
        "choices are not counted",
        "problems/wording.py",
        "if len(by_folded) > _MOST:",
        "if False:",
        ("tests/problems/test_wording.py",),
    ),
    Mutant(
        "comparisons are not counted",
        "config/unknown_variables.py",
        "self._left -= len(choices)",
        "self._left -= 0",
        COUNTED,
    ),
    Mutant("blanks are not counted", "config/dotenv.py", "    elif blanks is not None:", "    elif False:", DEVICES),
    Mutant("lines are not counted", "config/dotenv.py", "    if len(lines) > MAX_LINES:", "    if False:", DEVICES),
    # What a shared cache contains
    Mutant(
        "the file of tokens is anybody's", "stores/private_file.py", "found.st_uid != os.geteuid()", "False", CACHES, 2
    ),
    Mutant("all may write tokens", "stores/private_file.py", "found.st_mode & 0o022", "False", CACHES),
    Mutant("tokens come from a device", "stores/private_file.py", "not stat.S_ISREG(found.st_mode)", "False", CACHES),
    Mutant("a lock may be a pipe", "stores/file_locks.py", "stat.S_ISREG(found.st_mode)", "True", CACHES),
    Mutant("a lock may be another file", "stores/file_locks.py", "found.st_nlink <= 1", "True", CACHES),
    Mutant("a kept token may be a header", "stores/store.py", "value.isprintable()\n", "True\n", CACHES),
    Mutant("a kept failure may say anything", "stores/store.py", "isprintable() for text", "strip for text", CACHES),
    Mutant(
        "a kept pause may be endless",
        "stores/store.py",
        "for number in (*numbers, *codes)",
        "for number in ()",
        CACHES,
    ),
    Mutant("a Redis may say anything", "stores/redis_connections.py", "if self._left < 0:", "if False:", REDIS),
    # What vouches for a program
    Mutant(
        "any file is an assertion",
        "kinds/client_assertion.py",
        "    if claims is None:\n",
        "    if claims is None and not text:\n",
        ASSERTIONS,
    ),
    Mutant(
        "an expired assertion is sent",
        "kinds/client_assertion.py",
        "if claims.ends_at <= now:",
        "if False:",
        ASSERTIONS,
    ),
    Mutant(
        "a kept assertion never expires",
        "tokens/proof_cache.py",
        "return not self.is_over(kept.outcome)",
        "return True",
        ASSERTIONS,
    ),
    Mutant(
        "the last assertion never expires",
        "tokens/proof_selection.py",
        " or self._cache.is_over(worked.proof)",
        "",
        ASSERTIONS,
    ),
    Mutant(
        "a found file may have the machine vouched for",
        "config/safety.py",
        "not reference.needs_named_file or",
        "True or",
        ("tests/secrecy/test_without_a_secret.py",),
    ),
    Mutant(
        "another identity's token is accepted",
        "references/managed_identity.py",
        "if is_echoed or (is_echoed is None",
        "if True or (is_echoed is None",
        IDENTITIES,
    ),
    Mutant(
        "any file is Arc's key",
        "references/identity_requests.py",
        'or not path.endswith(\n        ".key"\n    )',
        "",
        IDENTITIES,
    ),
    Mutant(
        "the identity header is shown",
        "references/identity_requests.py",
        "return refusal(endpoint, reply, (*self.hidden, *sent), ",
        "return refusal(endpoint, reply, (), ",
        ("tests/secrecy/test_without_a_secret.py",),
    ),
    Mutant(
        "the Azure CLI runs without permission",
        "kinds/azure_cli.py",
        '    allowed_by: ClassVar = "azure_cli"\n',
        "",
        ("tests/kinds/test_azure_cli.py", "-k", "permission or allow"),
    ),
)
