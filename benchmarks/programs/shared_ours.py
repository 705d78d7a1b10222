"""One process of many that share tokens, with credconf: the first argument is the authority, the second the name."""

import sys

import credconf

credential = credconf.build(
    {
        "tenant_id": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "client_id": "11111111-1111-1111-1111-111111111111",
        "client_secret": "correct-horse-battery-staple",
        "authority": sys.argv[1],
        "disable_instance_discovery": True,
        "token_cache": {"kind": "file", "name": sys.argv[2], "allow_unencrypted_storage": True},
    }
)
token = credential.get_token("https://storage.azure.com/.default")
print("token" if token.token else "none", flush=True)
