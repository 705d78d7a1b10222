"""What detect-secrets lacks: client secrets of Microsoft Entra ID, whose `~` and `.` hide them from its detectors."""

from __future__ import annotations

import re

from detect_secrets.plugins.base import RegexBasedDetector


class EntraClientSecretDetector(RegexBasedDetector):
    """Forty characters as Entra makes them: three, a digit that is their version, `Q~`, and the rest."""

    secret_type = "Entra Client Secret"  # noqa: S105 - a name for it
    denylist = (re.compile(r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])"),)
