"""The real store keeps every promise."""

from tests.conformance.store import *  # noqa: F403 - this is how the promises are collected
