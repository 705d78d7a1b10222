"""A worker that is configured by its environment alone."""

import logging
import sys

import credconf

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stdout)

try:
    credential = credconf.from_config(path=False)  # no YAML, even if a credconf.yaml lies around
    credential.get_token("https://storage.azure.com/.default")
except credconf.CredconfError as error:
    sys.exit(str(error))

logging.getLogger("worker").info("ready: %r", credential)
