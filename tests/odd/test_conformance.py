import pytest

from tests.conformance.adapter import AdapterPromises
from tests.odd.platform import FindingAdapter, OddAdapter
from tests.odd.rig import AbleRig, OddRig
from tests.odd.service import Service
from tests.shared.flavours import AbleAdapter


class TestOdd(AdapterPromises):
    @pytest.fixture
    def rig(self) -> OddRig:
        service = Service()
        return OddRig(service, OddAdapter(service))


class TestOddThatFinds(AdapterPromises):
    @pytest.fixture
    def rig(self) -> OddRig:
        service = Service()
        return OddRig(service, FindingAdapter(service))


class TestOddThatIsAble(AdapterPromises):
    @pytest.fixture
    def rig(self) -> AbleRig:
        service = Service()
        return AbleRig(service, AbleAdapter(service))
