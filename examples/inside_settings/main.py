"""Use the credential's settings as a field of the application's own settings."""

import sys

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

import credconf


class ShopSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SHOP_",
        env_nested_delimiter="__",
        # Otherwise, pydantic-settings parses a secret or an id that looks like JSON, such as `123456`.
        enable_decoding=False,
        # Otherwise, if another field of this class is invalid, pydantic prints the whole input with the client
        # secret. (Errors of `credconf.Settings` itself contain no input.)
        hide_input_in_errors=True,
    )

    page_size: int = 50
    azure: credconf.Settings


try:
    settings = ShopSettings()
    with credconf.build(settings.azure) as credential:
        credential.get_token("https://storage.azure.com/.default")
        print(f"pages of {settings.page_size} as {credential!r}")
except (ValidationError, credconf.CredconfError) as error:
    sys.exit(str(error))
