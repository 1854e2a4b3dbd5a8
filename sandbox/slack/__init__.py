"""Slack on one's own machine: Web API, Socket Mode and Events API over real sockets, and a control API to act as people."""

from sandbox.slack.config import SimulatorConfig
from sandbox.slack.errors import ApiError
from sandbox.slack.simulator import Simulator

__all__ = ["ApiError", "Simulator", "SimulatorConfig"]
