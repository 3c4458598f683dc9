"""What a request is about: the exclusive key of it, and other requests about the same."""

from __future__ import annotations

import pytest

from clearance.services.target import Target


@pytest.mark.parametrize(
    ("exclusive", "target", "key"),
    [
        ("person", Target("288010112345", 7), "exam:288010112345"),
        ("person", Target(record_id=7), None),
        ("licence", Target("288010112345", 7), "licence:7"),
        ("licence", Target("288010112345"), None),
        ("none", Target("288010112345", 7), None),
    ],
)
def test_key_is_of_the_person_or_of_the_record(
    exclusive: str, target: Target, key: str | None
) -> None:
    assert target.exclusive_key(exclusive, "exam") == key


def test_unknown_target_matches_no_requests() -> None:
    assert Target().request_ids() is None
    assert Target(civil_id="").request_ids() is None


def test_each_known_part_is_looked_for_by_its_own_index() -> None:
    found = Target("288010112345", 7).request_ids()
    assert found is not None
    assert [str(part.whereclause) for part in found.selects] == [
        "request.civil_id = :civil_id_1",
        "request.licence_id = :licence_id_1",
    ]
