"""A worker whose configuration comes from the environment only."""

import logging
import sys

import credconf

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stdout)

try:
    credential = credconf.from_config(path=False)  # ignore any credconf.yaml
    credential.get_token("https://storage.azure.com/.default")
except credconf.CredconfError as error:
    sys.exit(str(error))

logging.getLogger("worker").info("ready: %r", credential)
