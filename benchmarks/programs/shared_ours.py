"""One process of many that share tokens, with credconf: in the file of a name, or in the Redis of a URL.

The first argument is the authority, the second the name or the URL.
"""

import sys

import credconf

place = sys.argv[2]
file = {"kind": "file", "name": place, "allow_unencrypted_storage": True}
credential = credconf.build(
    {
        "tenant_id": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "client_id": "11111111-1111-1111-1111-111111111111",
        "client_secret": "correct-horse-battery-staple",
        "authority": sys.argv[1],
        "disable_instance_discovery": True,
        "token_cache": {"kind": "redis", "url": place} if "://" in place else file,
    }
)
token = credential.get_token("https://storage.azure.com/.default")
print("token" if token.token else "none", flush=True)
