"""What is counted is what is tested: many kinds, each once."""

from kinds import REFUSED, TAKEN_AS_TEXT, count


def test_there_are_many_kinds_and_each_is_there_once() -> None:
    assert count(REFUSED) >= 150
    assert count(TAKEN_AS_TEXT) >= 20
    for kinds in (*REFUSED.values(), *TAKEN_AS_TEXT.values()):
        assert len(set(map(repr, kinds))) == len(kinds), kinds
