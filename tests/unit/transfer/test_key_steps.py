"""Chunks cut by arithmetic have about the rows asked for, and the source is asked where arithmetic fails."""

from __future__ import annotations

from etlkit.transfer.key_steps import WORTH_IT, KeySteps


def test_nothing_is_guessed_before_a_chunk_was_read() -> None:
    """The first chunk's end is asked for: how dense keys are is not known yet."""
    steps = KeySteps(last=1000)
    assert steps.guess(None, 100) is None
    assert steps.guess(("10",), 1000) is None


def test_the_ends_of_small_chunks_are_asked_for() -> None:
    """Where rows are few to a chunk, asking is cheap and exact."""
    steps = KeySteps(last=100_000)
    steps.learn(("0",), ("300",), 100)
    assert steps.guess(("300",), WORTH_IT - 1) is None


def test_guesses_follow_the_density_of_the_last_chunk() -> None:
    """With three keys to a row, a thousand rows lie within three thousand keys."""
    steps = KeySteps(last=100_000)
    steps.learn(("0",), ("300",), 100)
    assert ("3300",) == steps.guess(("300",), 1000)
    assert ("6300",) == steps.guess(("300",), 2000)


def test_large_and_negative_keys_are_exact() -> None:
    """Keys beyond 2^53 are counted as integers, and a step is at least one key."""
    steps = KeySteps(last=18446744073709551615)
    steps.learn(("18446744073709540001",), ("18446744073709541001",), 1000)
    assert ("18446744073709542001",) == steps.guess(("18446744073709541001",), 1000)
    steps.learn(("-10",), ("-9",), 10_000)
    assert ("-8",) == steps.guess(("-9",), 1000)


def test_the_last_key_is_never_passed() -> None:
    """The read ends at the greatest key that was there when it began."""
    steps = KeySteps(last=350)
    steps.learn(("0",), ("300",), 100)
    assert ("350",) == steps.guess(("300",), 1000)
    assert steps.reach(("350",))
    assert not steps.reach(("349",))


def test_a_gap_makes_the_source_be_asked_for_its_end() -> None:
    """Stepping through an empty range would take as many statements as it has steps."""
    steps = KeySteps(last=10**18)
    steps.learn(("0",), ("100",), 100)
    steps.learn(("100",), ("200",), 0)
    assert steps.guess(("200",), 1000) is None


def test_a_sparse_stretch_does_not_make_the_next_step_huge() -> None:
    """Behind a nearly empty range keys may be dense again, so steps grow by four at most."""
    steps = KeySteps(last=10**18)
    steps.learn(("0",), ("100",), 100)
    steps.learn(("100",), ("1000100",), 1)
    assert ("1004100",) == steps.guess(("1000100",), 1000)
