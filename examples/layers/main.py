"""The same program in every environment: CREDCONF_FILE selects the layers, CREDCONF_NAME the identity."""

import sys

import credconf

try:
    with credconf.from_config() as credential:
        credential.get_token("https://storage.azure.com/.default")
        print(f"ready: {credential!r}")
except credconf.CredconfError as error:
    sys.exit(str(error))
