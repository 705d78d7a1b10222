"""The hosts that bypass the proxy."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credconf.entra.proxies import bypasses
from credconf.settings.formats import host_of, shown


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        ("https://login.example.com/x", "example.com", True),
        ("https://login.example.com/x", ".example.com", True),
        ("https://example.com/x", ".example.com", True),
        ("https://LOGIN.example.com/x", "Login.EXAMPLE.com", True),
        ("https://notexample.com/x", "example.com", False),
        ("https://login.example.com/x", "a.test, example.com:443", True),
        ("https://login.example.com/x", "example.com:8443", False),
        ("https://login.example.com:8443/x", "example.com:8443", True),
        ("https://login.example.com/x", "a.test b.test", False),
        ("https://login.example.com/x", "*", True),
        ("https://10.1.2.3/x", "10.0.0.0/8", True),
        ("https://10.1.2.3/x", "10.1.2.3:443", True),
        ("https://11.1.2.3/x", "10.0.0.0/8", False),
        ("https://login.example.com/x", "10.0.0.0/8", False),
        ("https://[::1]/x", "::1", True),
        ("https://[::1]/x", "[::1]:443", True),
        ("https://[fd00::1]/x", "fd00::/8", True),
        ("https://127.0.0.1:9/x", "127.0.0.0/8", True),
        ("https://login.example.com./x", "example.com", True),
        ("https://login.example.com/x", "a.test,*", True),
        ("https://login.example.com/x", f"example.com:{'9' * 5000}", False),
        ("https://login.example.com/x", " , . ,", False),
        ("https://login.example.com/x", "", False),
        ("https://login.example.com/x", None, False),
    ],
)
def test_no_proxy_names_hosts_domains_networks_and_ports(url, no_proxy, direct):
    assert bypasses(url, no_proxy) is direct


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text makes a table of characters
@given(st.text(), st.text())
def test_no_text_raises(url, no_proxy):
    assert bypasses(url, no_proxy) in {True, False}
    assert host_of(url)
    assert shown(no_proxy)


def test_a_proxy_is_shown_without_its_password():
    assert shown("http://user:hunter2@proxy.example:3128/") == "proxy.example:3128"
    assert shown("user:hunter2@proxy.example:3128") == "proxy.example:3128"
    assert "hunter2" not in shown("http://user:hunter2@[bad")


def test_the_default_port_is_not_shown():
    assert host_of("https://login.example.com:443/t?q=1") == "login.example.com"
    assert host_of("https://user:pw@login.example.com:8443/t") == "login.example.com:8443"
