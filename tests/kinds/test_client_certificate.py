"""A client certificate that can't be used: what the file holds instead, and the command that makes a usable one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from cryptography import x509

import credconf
from credconf.entra.proof import Proof
from credconf.kinds.client_certificate import read_certificate
from tests.certificates import make_certificate
from tests.config.project import CLIENT, ID, TENANT, assert_nothing_shows, only
from tests.key_shapes import PASSWORD, client_files, elliptic

ENDING = "-----END PRIVATE KEY-----\n"


def made_pair():
    """An RSA key and its certificate as PEM."""
    with tempfile.TemporaryDirectory() as directory:
        certificate = make_certificate(Path(directory) / "client.pem")
        text = certificate.path.read_text(encoding="ascii")
    key = text[text.index("-----BEGIN PRIVATE KEY-----") : text.index(ENDING)] + ENDING
    return key.encode(), certificate.pem


PAIR = made_pair()
FILES = client_files(*PAIR)


def refused(project, content, name="entra's.bin"):
    project.write(name, content)
    return only(project.refused_text(f'{ID}client_certificate: {{file: "{name}"}}\n'))


def secrets_in(content):
    """Pieces of a content that no message may show."""
    return [content[start : start + 16].decode("latin-1") for start in range(40, min(len(content) - 16, 400), 60)]


@pytest.mark.parametrize("name", FILES)
def test_each_shape_has_its_own_message(project, name):
    content, words, _ = FILES[name]
    problem = refused(project, content)
    assert problem.code == "bad-certificate"
    assert words in problem.message
    assert problem.hint
    for piece in secrets_in(content):
        assert piece not in f"{problem.message}{problem.hint}"


@pytest.mark.skipif(shutil.which("openssl") is None or os.name != "posix", reason="commands of a shell")
@pytest.mark.parametrize("name", FILES)
def test_the_command_makes_a_usable_file(project, name):
    content, _, is_mended = FILES[name]
    if not is_mended:
        pytest.skip("no command can make what it lacks, or one asks for a password")
    problem = refused(project, content)
    before = set(os.listdir(project.path))
    command = str(problem.hint).partition(": ")[2]
    if "ssh-keygen" in command and shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    (project.path / "KEY").write_bytes(PAIR[0])
    (project.path / "CERTIFICATE").write_bytes(PAIR[1])
    subprocess.run(["sh", "-euc", command.replace("-m PEM", "-N '' -m PEM")], check=True, capture_output=True)
    (made,) = set(os.listdir(project.path)) - before - {"KEY", "CERTIFICATE"}
    assert isinstance(read_certificate((project.path / made).read_bytes(), None, made, chain=True), Proof)


def test_a_key_that_is_not_rsa_is_told_how_to_make_one(project):
    problem = refused(project, elliptic(PAIR[1]), "ec.pem")
    assert "is not an RSA key" in problem.message
    command = str(problem.hint).partition(": ")[2]
    if shutil.which("openssl") is not None and os.name == "posix":
        subprocess.run(["sh", "-euc", command], check=True, capture_output=True)
        made = (project.path / "ec.rsa.pem").read_bytes()
        assert isinstance(read_certificate(made, None, "made", chain=True), Proof)
        x509.load_pem_x509_certificate((project.path / "ec.rsa.cer").read_bytes())


@pytest.mark.parametrize("password", [None, b"no"])
@pytest.mark.parametrize("name", ["client.pem", "client.pfx"])
def test_a_file_of_the_right_kind_is_still_asked_for_its_password(tmp_path, name, password):
    certificate = make_certificate(tmp_path / name, password=PASSWORD.decode())
    found = read_certificate(certificate.path.read_bytes(), password, name, chain=False)
    assert not isinstance(found, Proof)
    assert "can't be opened" in found.message


IN_MEMORY = {
    "a PFX as base64": "pass certificate_data=base64.b64decode(certificate_data)",
    "a PFX as base64 in lines": "pass certificate_data=base64.b64decode(certificate_data)",
    "PEM with backslash and n": r'pass certificate_data=certificate_data.replace(b"\\n", b"\n")',
    "PEM in UTF-16, as PowerShell writes": 'pass certificate_data=certificate_data.decode("utf-16").encode()',
}


@pytest.mark.parametrize("name", FILES)
def test_bytes_of_a_program_have_the_same_message_without_a_file(name):
    content, words, _ = FILES[name]
    if not content:
        return
    with pytest.raises(credconf.ConfigError) as caught:
        credconf.CertificateCredential(TENANT, CLIENT, certificate_data=content)
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.hint
    assert " < " not in problem.hint
    for piece in secrets_in(content)[:2]:
        assert_nothing_shows(caught.value, canary=piece)
    if name in IN_MEMORY:
        assert problem.hint == IN_MEMORY[name]
        mended = eval(problem.hint.partition("=")[2], {"base64": __import__("base64"), "certificate_data": content})  # noqa: S307 - our own
        assert isinstance(read_certificate(mended, None, "certificate_data", chain=False), Proof)
