"""Get a token for Azure Storage, and print until when it is valid."""

import sys
from datetime import UTC, datetime

import credconf

try:
    with credconf.from_config() as credential:
        token = credential.get_token("https://storage.azure.com/.default")
except credconf.CredconfError as error:  # the message contains the place and the fix, never a secret
    sys.exit(str(error))

print(f"valid until {datetime.fromtimestamp(token.expires_on, UTC):%Y-%m-%d %H:%M} UTC")
