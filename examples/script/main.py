"""Get a token, and print its expiry. Run `python main.py` in this folder."""

import sys
from datetime import UTC, datetime

import credconf

try:
    with credconf.from_config() as credential:
        token = credential.get_token("https://storage.azure.com/.default")
        identity = credential.describe()
except credconf.CredconfError as error:  # the message contains the place and the fix, never a secret
    sys.exit(str(error))

until = datetime.fromtimestamp(token.expires_on, UTC)
print(f"{identity['client_id']} of {identity['tenant_id']}, until {until:%Y-%m-%d %H:%M} UTC")
