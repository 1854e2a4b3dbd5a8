"""Discord on one's own machine: REST v10 and gateway v10 over real sockets, and a control API to act as the people there."""

from sandbox.discord.config import SimulatorConfig
from sandbox.discord.errors import ApiError
from sandbox.discord.simulator import Simulator

__all__ = ["ApiError", "Simulator", "SimulatorConfig"]
