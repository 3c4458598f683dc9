"""Settings of the tests whose examples hypothesis makes: the same in each run, nothing kept.

A failing example is shrunk and printed; write it down as a case of its own.
"""

from __future__ import annotations

import tempfile
from functools import partial

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir

set_hypothesis_home_dir(tempfile.gettempdir())  # its caches, which would lie in the working folder

examples = partial(
    hypothesis.settings,
    derandomize=True,
    deadline=None,
    database=None,
    # Fixtures of these tests only set the language, once for all examples.
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
