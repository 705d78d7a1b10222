"""`credconf doctor`: everything between a configuration and a token, step by step."""

from __future__ import annotations

import json
import sys

import click

from credconf.cli.options import Chosen, configuration_options
from credconf.cli.terminal import say


@click.command()
@click.argument("scope", required=False)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=3600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For all steps together.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@configuration_options
def doctor(scope: str | None, timeout: float, form: str, chosen: Chosen) -> None:
    """Find out why there is no token: configuration, name, proxy, TLS, discovery, clock, token.

    The last step asks for a token for SCOPE; without it for the first scope of `prefetch`, else for the Microsoft
    Graph of the cloud. No secret and no token is shown. Exit status 1 if a step failed.
    """
    from .examination import examine
    from .report import as_data, as_lines, verdict
    from .steps import Case

    results = []
    for done in examine(Case(chosen, scope), timeout):
        results.append(done)
        if form == "text":
            say(as_lines(done))
    say(f"\n{verdict(results)}" if form == "text" else json.dumps(as_data(results), indent=2))
    sys.exit(any(done.finding.result == "failed" for done in results))
