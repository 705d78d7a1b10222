"""`credconf doctor`: everything between a configuration and a token, step by step."""

from __future__ import annotations

import math
import sys

import click

from credconf.cli.options import Chosen, configuration_options
from credconf.cli.report import JSON, TEXT, format_option, show_json
from credconf.cli.terminal import say


def _finite(_: click.Context, __: click.Parameter, seconds: float) -> float:
    if not math.isfinite(seconds):  # the range lets NaN pass
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
    help="For all steps together.",
)
@format_option(TEXT, JSON)
@configuration_options
def doctor(scope: str | None, timeout: float, form: str, chosen: Chosen) -> None:
    """Find out, step by step, why there is no token.

    The steps: configuration, expiry, token cache, name resolution, proxy, TLS, discovery, clock, token. The last one
    asks for a token for SCOPE; without it for the first scope of `prefetch`, else for the Microsoft Graph of the
    cloud. No secret and no token is shown. Exit status 1 if a step failed.
    """
    from .examination import examine
    from .report import as_data, show, verdict
    from .steps import Case

    results = []
    for done in examine(Case(chosen, scope, shows=form == TEXT), timeout):
        results.append(done)
        if form == TEXT:
            show(done)
    if form == JSON:
        show_json(as_data(results))
    else:
        say(f"\n{verdict(results)}")
    sys.exit(int(any(done.finding.result == "failed" for done in results)))
