"""A page to try Threadline in: the simulated platforms in a browser, on one's own machine."""

from sandbox.page.discord import DiscordSeat
from sandbox.page.seat import Seat
from sandbox.page.server import Page, State, Switch
from sandbox.page.slack import SlackSeat
from sandbox.page.telegram import TelegramSeat

__all__ = ["DiscordSeat", "Page", "Seat", "SlackSeat", "State", "Switch", "TelegramSeat"]
