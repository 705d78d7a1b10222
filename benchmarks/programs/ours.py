"""From the start of a process to its first token, with credconf."""

import credconf

credential = credconf.from_config("identity.yaml")
token = credential.get_token("https://storage.azure.com/.default")
print("token" if token.token else "none", flush=True)
