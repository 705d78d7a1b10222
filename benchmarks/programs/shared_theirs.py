"""One of many processes that share tokens with azure-identity's persistent cache."""

import sys

from azure.identity import ClientSecretCredential, TokenCachePersistenceOptions

credential = ClientSecretCredential(
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "11111111-1111-1111-1111-111111111111",
    "correct-horse-battery-staple",
    authority=sys.argv[1],
    disable_instance_discovery=True,
    cache_persistence_options=TokenCachePersistenceOptions(name=sys.argv[2], allow_unencrypted_storage=True),
)
token = credential.get_token("https://storage.azure.com/.default")
print("token" if token.token else "none", flush=True)
