"""From the start of a process to the text of a configuration's problems."""

import credconf

try:
    credconf.load()
except credconf.ConfigError as error:
    told = str(error)
if told.count("error[") != 4:  # noqa: PLR2004 - the tenant, the key, the timeout, and what is missing
    raise SystemExit(told)
print("told", flush=True)
