"""Telegram's Bot API on one's own machine, over real sockets, and a control API to act as people."""

from sandbox.telegram.config import SimulatorConfig
from sandbox.telegram.errors import ApiError
from sandbox.telegram.simulator import Simulator

__all__ = ["ApiError", "Simulator", "SimulatorConfig"]
