"""The real store keeps every promise."""

from tests.conformance.store import *  # noqa: F403 - this is how the promises are collected
from tests.conformance.store_changes import *  # noqa: F403 - see above
from tests.conformance.store_intake import *  # noqa: F403 - see above
from tests.conformance.store_kept import *  # noqa: F403 - see above
from tests.conformance.store_past import *  # noqa: F403 - see above
from tests.conformance.store_talks import *  # noqa: F403 - see above
from tests.conformance.store_turns import *  # noqa: F403 - see above
