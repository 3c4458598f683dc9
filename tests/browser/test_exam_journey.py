"""The main job, by hand in a real browser: from registration to the result of an exam."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import people
from tests.browser.conftest import Visit


@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_newcomer_registers_applies_and_passes(
    visit: Callable[..., Visit], lang: str, width: int
) -> None:
    person = people.newcomer()
    agent = visit(lang, width)
    people.register(agent, person)
    people.sign_in(agent, person.email, person.password)
    people.prove(agent, person)
    people.apply_for_exam(agent, person)
