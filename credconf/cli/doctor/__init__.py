"""`credconf doctor`: repeats a token request step by step, and reports what fails."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

import click

from credconf.cli.options import Chosen, configuration_options
from credconf.cli.output import JSON, TEXT, echo, echo_json, format_option

from .configuration import asks_entra, configuration, expiry, has_expiry, inspection, inspects, token_cache
from .network import name_resolution, proxy, tls
from .server import clock, discovery, token
from .steps import Diagnosis, Report, Result, Step, as_data, conclusion, echo_step, run_step

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = ("configuration", "name resolution", "proxy", "TLS")
STEPS = (
    Step("configuration", "reading the configuration", configuration, 30.0),
    Step("expiry", "reading the expiry dates", expiry, 5.0, _PATH[:1], has_expiry),
    Step("assertion", "reading the assertion", inspection, 30.0, _PATH[:1], inspects("assertion")),
    Step(
        "identity endpoint", "asking the identity endpoint", inspection, 30.0, _PATH[:1], inspects("identity endpoint")
    ),
    Step("token cache", "testing the token cache", token_cache, 10.0, _PATH[:1]),
    Step("name resolution", "resolving the name for {host}", name_resolution, 5.0, _PATH[:1], asks_entra),
    Step("proxy", "connecting to {host} through the proxy", proxy, 10.0, _PATH[:2], asks_entra),
    Step("TLS", "connecting to {host}", tls, 10.0, _PATH[:3], asks_entra),
    Step("discovery", "asking {host} about the tenant", discovery, 10.0, _PATH, asks_entra),
    Step("clock", "comparing the clocks", clock, 1.0, _PATH, asks_entra),
    Step("token", "asking {host} for a token", token, 30.0, (*_PATH, "assertion", "identity endpoint", "discovery")),
)
"""The steps, in order."""


def diagnose(diagnosis: Diagnosis, timeout: float) -> Iterator[Report]:
    """Run each step, within `timeout` seconds in total. A step whose prerequisite failed is skipped."""
    end = time.monotonic() + timeout
    failed: set[str] = set()
    for step in STEPS:
        if not step.applies(diagnosis.target):
            continue
        left = end - time.monotonic()
        cause = next((name for name in step.needs if name in failed), None)
        if cause is not None:
            yield Report(step, Result("skipped", f"it depends on a failed step: {cause}"), 0.0)
        elif left <= 0:
            yield Report(step, Result("skipped", f"the {timeout:g} s of --timeout are used up"), 0.0)
        else:
            report = run_step(step, diagnosis, left)
            if report.result.status == "failed":
                failed.add(step.name)
            yield report


def _finite(_: click.Context, __: click.Parameter, seconds: float) -> float:
    if not math.isfinite(seconds):  # click's range accepts NaN
        raise click.BadParameter("it must be a number of seconds")
    return seconds


@click.command()
@click.argument("scope", required=False)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    callback=_finite,
    help="The limit for all steps together.",
)
@format_option(TEXT, JSON)
@configuration_options
def doctor(scope: str | None, timeout: float, form: str, chosen: Chosen) -> None:
    """Repeat a token request step by step, and report what fails.

    The steps: configuration, expiry, assertion, identity endpoint, token cache, name resolution, proxy, TLS, discovery,
    clock, token. Steps that do not concern the kind of credential are left out. The last step requests a token for
    SCOPE; without SCOPE, for the first scope of `prefetch`, else for the Microsoft Graph of the
    cloud. credconf prints no secret and no token.

    Exit status: 1 if a step failed.
    """
    reports = []
    for report in diagnose(Diagnosis(chosen, scope, shows=form == TEXT), timeout):
        reports.append(report)
        if form == TEXT:
            echo_step(report)
    if form == JSON:
        echo_json(as_data(reports))
    else:
        echo(f"\n{conclusion(reports)}")
    sys.exit(int(any(report.result.status == "failed" for report in reports)))
