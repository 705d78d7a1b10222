"""What is wrong, as data: the model of a problem, Entra's codes, and how both are shown."""

from .model import Problem, closest
from .render import as_dicts, as_text

__all__ = ["Problem", "as_dicts", "as_text", "closest"]
