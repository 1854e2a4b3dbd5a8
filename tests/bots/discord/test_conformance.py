from tests.conformance.adapter import AdapterPromises


class TestDiscord(AdapterPromises):
    pass
