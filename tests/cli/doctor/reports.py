"""The report of the doctor in both formats, and its environment."""

from __future__ import annotations

from credconf.cli.doctor import STEPS
from tests.cli.running import run
from tests.config.project import CANARY

NAMES = [step.name for step in STEPS if step.applies(None)]
WAY = ["configuration", "name resolution", "proxy", "TLS"]


def use(entra, monkeypatch):
    """The variables for an application whose secret is the canary."""
    entra.register(entra.client_id, secrets=[CANARY])
    entra.apply(monkeypatch)
    for name, value in {"AZURE_CLIENT_SECRET": CANARY, "COLUMNS": "500"}.items():
        monkeypatch.setenv(name, value)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)


class Report:
    """The report as JSON. The canary is in neither format."""

    def __init__(self, *arguments):
        self.text = run("doctor", *arguments).said
        outcome = run("doctor", *arguments, "--format", "json")
        self.status = outcome.status
        self.steps = {step["step"]: step for step in outcome.json["steps"]}
        assert list(self.steps) == NAMES
        assert outcome.json["ok"] == (self.status == 0)

    def __getitem__(self, name):
        return self.steps[name]

    @property
    def results(self):
        return {name: step["result"] for name, step in self.steps.items()}

    def ends_at(self, name):
        """The step failed, and all that needs it is skipped because of it."""
        assert self.status == 1
        assert self[name]["result"] == "failed"
        assert self[name]["fix"] or self[name]["problems"]
        for step in (step for step in STEPS if step.name in NAMES):
            if name in step.needs:
                assert (self.results[step.name], self[step.name]["seconds"]) == ("skipped", 0)
                assert self[step.name]["summary"] == f"it depends on a failed step: {name}"
        return self[name]
