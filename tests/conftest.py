import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether what it shows is true.
settings.register_profile("threadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("threadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", choices=("short", "full"), default="short", help="how long the soak is")
    parser.addoption("--soak-platform", default="", help="the platform of the soak; by default all, one after the other")
    parser.addoption("--soak-seed", type=int, default=1, help="the beginning of the soak's random choices")
