"""A detector for client secrets of Microsoft Entra ID, which detect-secrets misses because of their `~` and `.`."""

from __future__ import annotations

import re

from detect_secrets.plugins.base import RegexBasedDetector


class EntraClientSecretDetector(RegexBasedDetector):
    """Finds the 40 characters of a client secret: three, a version digit, `Q~`, and the rest."""

    secret_type = "Entra Client Secret"  # noqa: S105 - a name for it
    denylist = (re.compile(r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])"),)
