"""From a process's start to the end of an import of pydantic-settings."""

import pydantic_settings

print("told" if pydantic_settings else "", flush=True)
