"""The credential's settings as one field of the application's own settings."""

import sys

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

import credconf


class ShopSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SHOP_",
        env_nested_delimiter="__",
        # Without this, pydantic-settings would read a secret or an id that happens to be JSON (`123456`) as JSON.
        enable_decoding=False,
        # Without this, pydantic would print what it was given, the client secret included, when *another*
        # field of this class is wrong. (`credconf.Settings` keeps its own errors clean.)
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
