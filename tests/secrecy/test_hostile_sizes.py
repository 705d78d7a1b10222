"""Promise (SECURITY.md): nothing that can be written into a file or an answer takes unbounded time or memory.

Work is bounded by the processor's seconds (`RLIMIT_CPU`) and memory by the address space (`RLIMIT_AS`), in a process of
its own: generous limits, which only something that grows with the square of its input (or worse) reaches.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import string
import subprocess
import sys
import textwrap

import pytest

import credconf
from credconf.config.dotenv import parse_dotenv
from credconf.entra.sockets import UnusableBundle, tls_context
from credconf.references import FileReference, Reader
from tests.config.project import AUTHORITY
from tests.contract.faces import SCOPE, SYNC
from tests.entra.scripted import Scripted
from tests.secrecy.test_failures import error_of

ID = "tenant_id: contoso.example\nclient_id: 11111111-1111-1111-1111-111111111111\n"
SECONDS = 20  # of the processor: the slowest takes four here
MEGABYTES = 700
BIG = 1_000_000


def anchors(levels):
    return "".join(
        f"x-{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n" if i else "x-0: &a0 [x]\n" for i in range(levels)
    )


def cycle(number):
    return "credentials:\n" + "".join(f"  e{i}: {{extends: e{(i + 1) % number}}}\n" for i in range(number))


FILES = {
    "brackets": "[" * BIG,
    "braces": "{" * BIG,
    "dashes": "- " * (BIG // 2),
    "nested blocks": "".join(f"{' ' * i}a:\n" for i in range(1_300)),
    "quotes": "'" * BIG,
    "blanks": f"a:{' ' * BIG}b",
    "tabs": "\t" * BIG,
    "directives": "%TAG ! tag:x\n" * (BIG // 13),
    "documents": "---\n" * (BIG // 4),
    "aliases": anchors(40),
    "alias of itself": "a: &a [*a]\n",
    "merges": "a: &a {" + ", ".join(f"k{i}: x" for i in range(900)) + "}\nx-b:\n" + "  - <<: *a\n" * 20,
    "huge value": f"{ID}client_secret: {'a' * (BIG - 200)}\n",
    "huge key": f"{ID}client_secret: x\n{'a' * (BIG - 200)}: x\n",
    "escapes": f'{ID}client_secret: "{chr(92)}x41{chr(92)}x41"\nx-a: "' + "\\x41" * (BIG // 5) + '"\n',
    "keys": f"{ID}client_secret: x\n" + "".join(f"clien_secrt{i}: x\n" for i in range(9_000)),
    "keys of a group": f"{ID}client_secret: x\nhttp:\n" + "".join(f"  timeot{i}: x\n" for i in range(9_000)),
    "the same key": f"{ID}client_secret: x\n" + "a: x\n" * 9_000,
    "list of secrets": f"{ID}client_secret: [{', '.join(['a' * 45] * 19_000)}]\n",
    "list of references": f"{ID}client_secret: [{', '.join(['{env: NOPE_NOPE}'] * 6_000)}]\n",
    "list of files": f"{ID}client_secret: [{', '.join(['{file: nope}'] * 6_000)}]\n",
    "tenants": f"{ID}client_secret: x\nadditionally_allowed_tenants: [{', '.join(['a/'] * 19_000)}]\n",
    "entries": "default: e0\ncredentials:\n" + "".join(f"  e{i}: {{}}\n" for i in range(9_000)),
    "chain": "default: e0\ncredentials:\n" + "".join(f"  e{i}: {{extends: e{i + 1}}}\n" for i in range(1_000)),
    "cycle": cycle(1_000),
    "missing parents": "credentials:\n" + "".join(f"  e{i}: {{extends: f{i}}}\n" for i in range(4_000)),
    "everybody's heir": "credentials:\n  a: {extends: ["
    + ", ".join(f"e{i}" for i in range(4_000))
    + "]}\n".join(f"  e{i}: {{}}\n" for i in range(4_000)),
    "many parents": "credentials:\n"
    + "".join(
        f"  e{i}: {{extends: [{', '.join(f'e{j}' for j in range(i + 1, min(i + 40, 400)))}]}}\n" for i in range(400)
    ),
}


def shuffled(seed):
    """A name of the same letters as each other one: what is compared with it is compared to the end."""
    letters = [*string.ascii_uppercase, "_", *string.ascii_uppercase[:13]]
    random.Random(seed).shuffle(letters)  # noqa: S311 - a name
    return f"V{''.join(letters)}"


DOTENVS = {
    "blanks": f"A=x{' ' * BIG}y",
    "runs of blanks": ("A=x" + (" " * 499 + "y") * 20 + "\n") * 90,
    "blanks of another alphabet": f"A=x{chr(0x2003) * 300_000}y",
    "runs before a comment": "AZURE_CLIENT_SECRET=" + (" " * 400 + "x#") * 2_000,
    "quotes": "A='" + "\\'" * (BIG // 3),
    "double quotes": 'A="' + '\\"' * (BIG // 3),
    "open quotes": "A='\n" * (BIG // 5),
    "lines": "a=\n" * (BIG // 3),
    "broken lines": "a b\n" * (BIG // 5),
    "comments": "#\n" * (BIG // 2),
    "equal signs": "=" * BIG,
    "exports": "export " * (BIG // 7),
    "one long name": "A" * BIG,
    "ours, misspelt": "".join(f"CREDCONF_TENNANT_{i}=x\n" for i in range(19_000)),
    "of entries": "".join(f"CREDCONF__E{i}__TENNANT=x\n" for i in range(19_000)),
    "of nearly all entries": "".join(f"CREDCONF__X{i}ABCDEFGH__CLIENT_ID=x\n" for i in range(19_000)),
    "alike": "".join(f"{shuffled(i)}=x\n" for i in range(19_000)),
}
PROGRAM = textwrap.dedent(
    """
    import json, os, resource, sys, traceback
    import credconf
    import credconf.cli.check
    from click.testing import CliRunner
    from credconf.cli import main

    def load():
        try:
            credconf.load(environ={"NOPE_NOPF": "x", "CREDCONF_FILE": "app.yaml"})
            credconf.load(environ={"NOPE_NOPF": "x", "CREDCONF_FILE": "app.yaml"})
        except credconf.ConfigError as error:
            assert len(str(error)) < 20_000_000

    def check():
        result = CliRunner().invoke(main, ["check", "app.yaml", "--format", "json"])
        assert result.exit_code in (0, 1), result.exception

    def limit(seconds, megabytes):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # a child begins to count at zero
        size = 1024 * 1024 * megabytes
        resource.setrlimit(resource.RLIMIT_AS, (size + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, -1))

    for line in sys.stdin:
        way, folder = json.loads(line)
        os.chdir(folder)
        child = os.fork()
        if not child:
            try:
                limit(*map(int, sys.argv[1:]))
                {"load": load, "check": check}[way]()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    """
)


@pytest.fixture(scope="module")
def bounded(tmp_path_factory):
    """Judge a folder in a process with limits of its own: a fork of one that has imported all it needs."""
    said = tmp_path_factory.mktemp("bounded") / "stderr"
    command = [sys.executable, "-c", PROGRAM, str(SECONDS), str(MEGABYTES)]
    with (
        said.open("w") as stderr,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):

        def judge(way, folder):
            process.stdin.write(json.dumps([way, str(folder)]) + "\n")
            process.stdin.flush()
            status = process.stdout.readline()
            assert status == "0\n", (status, said.read_text()[-2_000:])

        yield judge


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the limits are those of Unix")


@pytest.mark.parametrize("way", ["load", "check"])
@pytest.mark.parametrize("case", FILES)
def test_no_file_takes_more_than_its_share(bounded, tmp_path, case, way):
    (tmp_path / "app.yaml").write_text(FILES[case][:BIG])
    bounded(way, tmp_path)


@pytest.mark.parametrize("way", ["load", "check"])
@pytest.mark.parametrize("case", DOTENVS)
def test_no_dotenv_does(bounded, tmp_path, case, way):
    count = {"of entries": 3_000, "of nearly all entries": 240}.get(case, 0)  # the latter: so few are compared at all
    names = "".join(f"  e{i}: {{}}\n  e{i}-abcdefgh: {{}}\n" for i in range(count))
    secrets = ", ".join(f"{{env: {shuffled(-i - 1)}}}" for i in range(16))
    (tmp_path / "app.yaml").write_text(
        f"default: a\ncredentials:\n  a: {{}}\n{names}" if names else f"{ID}client_secret: [{secrets}]\n"
    )
    (tmp_path / ".env").write_text(DOTENVS[case][:BIG])
    bounded(way, tmp_path)


@pytest.mark.parametrize("name", ["app.yaml", ".env"])
@pytest.mark.parametrize("thing", ["fifo", "/dev/zero", "huge.pem"])
@pytest.mark.usefixtures("bundles")
def test_neither_is_read_from_anything_but_a_small_file(name, thing):
    with open("app.yaml", "w", encoding="ascii") as file:
        file.write(f"{ID}client_secret: x\n")
    if name == "app.yaml":
        os.unlink(name)
    os.symlink(thing, name)
    error = error_of(lambda: credconf.load("app.yaml", env_file=".env" if name == ".env" else False, environ={}))
    errors = [item.code for item in error.problems if item.severity == "error"]
    assert errors == ["file-too-large" if thing == "huge.pem" else "not-a-file"]


def test_a_dotenv_that_would_take_long_is_refused_with_its_place():
    for text, line in (("A=1\nB=x" + " " * 501 + "y\n", 2), ("a=\n" * 20_001, 20_001)):
        (problem,) = parse_dotenv(text, ".env", discovered=False).problems
        assert (problem.code, problem.line) == ("too-complex", line)
    assert not parse_dotenv("A=1\nB=x" + " " * 500 + "y\n" + "a=\n" * 19_990, ".env", discovered=False).problems


# What a reference names


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom", "/dev/tty", "/proc/self/mem", "/proc/kmsg", "/", "fifo"])
def test_no_device_pipe_or_directory_hangs_or_fills_anything(tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    found = FileReference(file=path).read(Reader({}))
    assert not isinstance(found, str) or len(found) <= 64 * 1024


def test_what_the_system_writes_itself_is_read_up_to_the_limit():
    found = FileReference(file="/proc/self/environ").read(Reader({}))
    assert isinstance(found, str) or found.code in {"file-too-large", "not-utf8"}


def test_a_device_is_not_even_opened(tmp_path, monkeypatch):
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(path) or real(path, *rest))
    assert not isinstance(FileReference(file="/dev/null").read(Reader({})), str)
    assert opened == []


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN PRIVATE KEY-----\n" * 2_000,
        b"-----BEGIN CERTIFICATE-----\n"
        + b"A" * 60_000
        + b"\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE"
        + b" KEY-----",
        b"\x30\x84\xff\xff\xff\xff" + b"\x30\x80" * 30_000,
        b"\x30" * 65_000,
        b"\xff" * 65_536,
    ],
    ids=["keys", "certificate", "length", "nesting", "noise"],
)
def test_no_certificate_file_takes_long(tmp_path, content):
    (tmp_path / "client").write_bytes(content)
    fields = {"tenant_id": "t", "client_id": "c", "client_certificate": {"file": str(tmp_path / "client")}}
    error = error_of(credconf.build, fields)
    assert isinstance(error, credconf.ConfigError)
    assert [problem.code for problem in error.problems] == ["bad-certificate"]


def test_a_list_holds_so_many_secrets_and_no_more(tmp_path):
    (tmp_path / "secret").write_text("s" * 65_000)
    secrets = [{"file": str(tmp_path / "secret")}] * 16
    fields = {"tenant_id": "t", "client_id": "c", "client_secret": secrets}
    assert credconf.build(fields)
    error = error_of(credconf.build, {**fields, "client_secret": [*secrets, *secrets]})
    assert [(item.code, item.path) for item in error.problems] == [("bad-value", "client_secret")]


BUNDLES = ["huge.pem", "fifo", "/dev/stdin", "/dev/zero"]


@pytest.fixture
def bundles(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    with open("huge.pem", "wb") as file:
        file.truncate(1024 * 1024 * 1024)


@pytest.mark.parametrize("path", BUNDLES)
@pytest.mark.usefixtures("bundles")
def test_certificates_are_loaded_from_a_file_or_a_directory_alone(path):
    """OpenSSL would open them itself: it would hang for ever, while others wait for the lock that is held."""
    fields = {"tenant_id": "t", "client_id": "c", "client_secret": "x", "http": {"ca_bundle": path}}
    for call in (lambda: credconf.build(fields), lambda: credconf.load(False, environ={}, **fields)):
        error = error_of(call)
        assert [item.path for item in error.problems if item.severity == "error"] == ["http.ca_bundle"]
    with pytest.raises(UnusableBundle, match=r"is neither a file nor a directory|is larger than"):
        tls_context(path)


@pytest.mark.usefixtures("bundles")
def test_nor_are_those_of_a_redis(tmp_path, caplog):
    server = socket.create_server(("127.0.0.1", 0))
    cache = {"url": f"rediss://127.0.0.1:{server.getsockname()[1]}", "timeout": 0.5}
    (tmp_path / "ca.pem").write_text(AUTHORITY)
    fields = {"tenant_id": "t", "client_id": "c", "client_secret": "x", "token_cache": cache}
    credential = credconf.build({**fields, "http": {"ca_bundle": "ca.pem"}}, http_client=Scripted())
    (tmp_path / "ca.pem").unlink()
    os.mkfifo("ca.pem")  # since it was judged
    assert credential.get_token(SCOPE).token
    assert "can't be used: http.ca_bundle is neither a file nor a directory" in caplog.text
    server.close()


# What a server answers

ANSWERS = {
    "brackets": "[" * BIG,
    "nested objects": '{"a":' * (BIG // 5),
    "long number": '{"expires_in": ' + "9" * (BIG - 20) + "}",
    "huge exponent": '{"access_token": "x", "expires_in": 1e999999999, "refresh_in": "1e400"}',
    "long text": json.dumps({"error": "e" * (BIG // 2), "error_description": "AADSTS" * (BIG // 13)}),
    "many codes": json.dumps({"error": "e", "error_codes": list(range(BIG // 10))}),
    "tokens": "eyJ" * (BIG // 3),
    "names of tokens": "access_token " * (BIG // 13),
    "blanks": "access_token" + " " * BIG,
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("status", [200, 400])
def test_no_answer_takes_long_or_says_much(case, status):
    client = Scripted({"https": ANSWERS[case]}, status)
    fields = {"tenant_id": "contoso.example", "client_id": "c", "client_secret": "a~secret.Of-nobody"}
    credential = SYNC.build(fields, http_client=client)
    error = error_of(credential.get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
    assert len(str(error)) < 5_000
    assert len(error.failure.error) <= 64


def test_a_compressed_answer_is_not_unfolded_beyond_the_limit(entra):
    body = gzip.compress(b"0" * 200_000_000)
    entra.answers(200, body, headers={"Content-Encoding": "gzip"})
    fields = entra.config(http={"retries": 0})
    error = error_of(credconf.build(fields).get_token, SCOPE)
    assert isinstance(error, credconf.AuthenticationError)
