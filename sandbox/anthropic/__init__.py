"""Anthropic's Messages API on one's own machine: streaming, errors, silence, and a log of what was asked and sent."""

from .config import Config, Model
from .counting import shared_prefix
from .script import Script
from .simulator import Simulator

__all__ = ["Config", "Model", "Script", "Simulator", "shared_prefix"]
