"""From the start of a process to its first token, with pydantic-settings and azure-identity as documented."""

from azure.identity import ClientSecretCredential
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource


class Settings(BaseSettings):
    """The identity, from the environment, `.env` or the YAML file, in this order."""

    model_config = SettingsConfigDict(env_prefix="AZURE_", env_file=".env", yaml_file="identity.yaml")

    tenant_id: str
    client_id: str
    client_secret: SecretStr
    authority: str
    disable_instance_discovery: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings passes it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the YAML file the lowest rank."""
        return init_settings, env_settings, dotenv_settings, YamlConfigSettingsSource(settings_cls)


settings = Settings()  # type: ignore[call-arg] - its fields come from the sources
credential = ClientSecretCredential(
    settings.tenant_id,
    settings.client_id,
    settings.client_secret.get_secret_value(),
    authority=settings.authority,
    disable_instance_discovery=settings.disable_instance_discovery,
)
token = credential.get_token("https://storage.azure.com/.default")
print("token" if token.token else "none", flush=True)
