"""Read the credential from a section of the application's own file."""

import sys
from pathlib import Path

import yaml

import credconf

FILE = Path(__file__).with_name("application.yaml")
application = yaml.safe_load(FILE.read_text(encoding="utf-8"))

try:
    with credconf.from_config(FILE, section="azure.storage") as credential:
        credential.get_token("https://storage.azure.com/.default")
        print(f"{application['title']}: {application['azure']['account_url']} as {credential!r}")
except credconf.CredconfError as error:
    sys.exit(str(error))
