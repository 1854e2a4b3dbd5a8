from tests.conformance.adapter import AdapterPromises


class TestSlack(AdapterPromises):
    pass
