"""The number of kinds that `make chaos` prints is the number that is tested."""

from kinds import COUNT, KINDS


def test_there_are_many_kinds_and_each_is_there_once() -> None:
    assert COUNT >= 150
    for name, kinds in KINDS.items():
        assert len(set(map(repr, kinds))) == len(kinds), name
