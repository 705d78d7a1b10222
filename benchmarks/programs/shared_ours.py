"""One of many processes that share tokens with credconf, in a file or a Redis.

The first argument is the authority. The second is the name of the file or the URL of the Redis.
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
