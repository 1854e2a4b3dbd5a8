"""What the control APIs of all platforms' simulators have in common."""

import pytest

from tests.sandbox.far import Far


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 403), ("evil.example:80", 403), ("[", 403), ("localhost:1", 200), ("127.0.0.1", 200)]
)
async def test_only_a_loopback_host_is_answered(far: Far, host: str, status: int) -> None:
    async with far.session.get(f"{far.base}/world", headers={"Host": host}) as response:
        assert response.status == status


@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:8080", 200)])
async def test_a_page_from_elsewhere_is_not_answered(far: Far, origin: str, status: int) -> None:
    async with far.session.get(f"{far.base}/world", headers={"Origin": origin}) as response:
        assert response.status == status


async def test_slips_are_told(far: Far) -> None:
    assert "no user nobody" in await far.refused("say", **{"as": "nobody", "text": "x"})
    assert "text" in await far.refused("edit", message="5")
    assert "text must be str" in await far.refused("say", **{"as": "user1", "text": 5})
    assert "colour" in await far.refused("say", **{"as": "user1", "text": "x", "colour": "red"})
    assert "action" in await far.refused("fault", action="explode")
    assert "kind" in await far.refused("spoil", kind="burn")
    assert "kind" in await far.refused("spoil", times=1)
    async with far.session.post(f"{far.base}/say", json=["x"]) as response:
        assert (response.status, await response.json()) == (400, {"error": "the body must be a JSON object"})


async def test_a_fault_is_in_force_until_it_is_cleared(far: Far) -> None:
    number = (await far.post("fault", action="slow", path="nowhere", times=None))["fault"]
    assert (await far.get("faults"))[str(number)]["path"] == "nowhere"
    await far.post("seed_faults", seed=1)
    await far.post("clear_faults")
    assert await far.get("faults") == {}
