"""When a read rests, pauses, goes on and is given up: decided by what a server says and a clock of the test's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import attrs
import pymysql
import pytest

from etlkit.config import AllowedHours, MySQLUrl, SourceSettings
from etlkit.errors import OutsideAllowedHours, RunInterrupted, SourceBusy
from etlkit.stopping import StopSignal
from etlkit.transfer.governor import LOOK, Governor, Guest, Spent

URL = MySQLUrl.parse("mysql://reader@clinic/opendental")


class Clock(StopSignal):
    """A clock that only moves when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def wait(self, seconds: float) -> bool:
        """Let the time pass."""
        self.now += seconds
        self.waited.append(round(seconds, 3))
        return self.is_set()


@attrs.define
class Server:
    """What a server answers, one look after the other; the last answer stays."""

    answers: list[tuple[int, int]]
    looks: int = 0

    def __call__(self, sql: str) -> Mapping[str, str]:
        """Answer."""
        assert sql == LOOK
        running, waits = self.answers[min(self.looks, len(self.answers) - 1)]
        self.looks += 1
        return {"Threads_running": str(running), "Table_locks_waited": str(waits)}


@attrs.define
class Case:
    """A read, and what rules it."""

    clock: Clock
    server: Server
    governor: Governor
    engine: str = "MyISAM"
    spent: Spent = attrs.field(factory=Spent)

    def work(self, seconds: float) -> None:
        """Keep the source at work."""
        self.clock.now += seconds
        self.spent.seconds += seconds
        self.spent.until = self.clock.now

    def rest(self, **options: bool) -> list[float]:
        """Rest between two chunks; gives the waits."""
        self.clock.waited.clear()
        self.governor.rest(
            Guest(
                what="table `patient`",
                engine=self.engine,
                spent=self.spent,
                ask=self.server,
                stop=self.clock,
                **options,
            )
        )
        return list(self.clock.waited)


@pytest.fixture
def case() -> Callable[..., Case]:
    """A function that makes a case."""

    def make(*answers: tuple[int, int], engine: str = "MyISAM", **settings: object) -> Case:
        clock = Clock()
        governor = Governor(SourceSettings(url=URL, **settings), clock)  # type: ignore[arg-type]
        return Case(clock, Server(list(answers) or [(1, 0)]), governor, engine)

    return make


@pytest.mark.parametrize(
    ("engine", "duty_cycle", "expected"),
    [
        ("MyISAM", None, [0.2]),
        ("Aria", None, [0.2]),
        ("InnoDB", None, []),
        ("InnoDB", 0.25, [0.6]),
        ("MyISAM", 0.8, [0.05]),
        ("MyISAM", 1.0, []),
    ],
)
def test_rest_in_proportion(
    case: Callable[..., Case], engine: str, duty_cycle: float | None, expected: list[float]
) -> None:
    """A read rests so that it has the source for its share of the time: half on MyISAM, all of it on InnoDB."""
    made = case(engine=engine, duty_cycle=duty_cycle)
    made.work(0.2)
    assert expected == made.rest()


def test_what_was_rested_counts(case: Callable[..., Case]) -> None:
    """Time that passed since the last chunk, because the warehouse was slow, is not waited again."""
    made = case()
    made.work(0.2)
    made.clock.now += 0.15
    assert [0.05] == made.rest()
    made.work(0.2)
    made.clock.now += 3
    assert [] == made.rest()
    assert [] == made.rest()


def test_short_statements_rest_together(case: Callable[..., Case]) -> None:
    """Rests that are too short to be worth it are put off until they are."""
    made = case()
    made.work(0.004)
    assert [] == made.rest()
    made.work(0.004)
    assert [0.008] == made.rest()


def test_seldom_looks(case: Callable[..., Case]) -> None:
    """The server is asked at most twice a second."""
    made = case()
    for _ in range(10):
        made.rest()
        made.clock.now += 0.1
    assert 2 == made.server.looks


def test_looks_cost_a_hundredth(case: Callable[..., Case]) -> None:
    """Where an answer takes long, the server is asked less often, but every five seconds in any case."""
    made = case()
    quick = made.server

    def slow(sql: str) -> Mapping[str, str]:
        made.clock.now += 0.02
        return quick(sql)

    made.server = slow  # type: ignore[assignment]
    made.rest()
    made.clock.now += 1.9
    made.rest()
    assert 1 == quick.looks
    made.clock.now += 0.2
    made.rest()
    assert 2 == quick.looks


def test_pause_and_go_on(case: Callable[..., Case]) -> None:
    """A read pauses while more statements are at work than are allowed, and goes on when it is calm."""
    made = case((11, 0), (30, 0), (11, 0), (10, 0))
    assert [0.25, 0.5, 1.0] == made.rest()


def test_pause_for_lock_waits(case: Callable[..., Case]) -> None:
    """A read pauses while others wait for table locks more often than is allowed; what was before does not count."""
    made = case((1, 5000), (1, 5020), (1, 5041), (1, 5046))
    assert [] == made.rest()
    made.clock.now += 1
    assert [] == made.rest()
    made.clock.now += 1
    assert [0.25] == made.rest()


def test_a_server_that_was_started_again(case: Callable[..., Case]) -> None:
    """A count that begins anew is no growth."""
    made = case((1, 5000), (1, 3))
    made.rest()
    made.clock.now += 1
    assert [] == made.rest()


def test_give_up(case: Callable[..., Case], caplog: pytest.LogCaptureFixture) -> None:
    """A read of a server that stays busy is given up after the time that the settings give; the next ones at once."""
    made = case((31, 0), busy_patience_minutes=1.5)
    with pytest.raises(SourceBusy) as refusal:
        made.rest()
    assert (
        "table `patient`: the source has been busy for 1.5 minutes (Threads_running is 31, and "
        "`source.max_threads_running` is 10), so the read was given up, and what was loaded before is as it was; run "
        "again at a quieter hour, or raise `source.max_threads_running` or `source.busy_patience_minutes` in etlkit.yml"
    ) == refusal.value.message
    assert not refusal.value.transient
    assert 90 <= sum(made.clock.waited) <= 92
    assert [
        (
            "table `patient`: the source is busy (Threads_running is 31, and `source.max_threads_running` is 10); "
            "waiting until it is calm, at most 1.5 minutes"
        )
    ] == caplog.messages
    with pytest.raises(SourceBusy):
        made.rest()
    assert [] == made.clock.waited
    made.server.answers = [(1, 0)]
    made.clock.now += 1
    assert [] == made.rest()


def test_no_patience(case: Callable[..., Case]) -> None:
    """Without patience, a busy server is left at once."""
    made = case((11, 0), busy_patience_minutes=0)
    with pytest.raises(SourceBusy):
        made.rest()
    assert [] == made.clock.waited


def test_what_only_saves_work(case: Callable[..., Case]) -> None:
    """What only saves work does not wait for a busy server; what comes behind it does."""
    made = case((11, 0), (11, 0), (1, 0))
    with pytest.raises(SourceBusy):
        made.rest(patient=False)
    assert [] == made.clock.waited
    assert [0.25] == made.rest()


def test_a_snapshot_is_let_go(case: Callable[..., Case]) -> None:
    """In a snapshot, which keeps others from ALTER TABLE, a read pauses for half a minute; it may be tried again."""
    made = case((31, 0), engine="InnoDB")
    with pytest.raises(SourceBusy) as refusal:
        made.rest(in_snapshot=True)
    assert (
        "table `patient`: the source became busy while the table was read (Threads_running is 31, and "
        "`source.max_threads_running` is 10), and its snapshot was let go after 30 seconds, since it keeps others from "
        "altering the table; run again at a quieter hour, or raise `source.max_threads_running` in etlkit.yml"
    ) == refusal.value.message
    assert refusal.value.transient


def test_stop(case: Callable[..., Case]) -> None:
    """A read that is to end does not wait."""
    made = case((31, 0))
    made.clock.set()
    with pytest.raises(RunInterrupted):
        made.rest()
    assert [0.25] == made.clock.waited


@pytest.mark.parametrize("failure", [1142, 1227, 1682, None])
def test_a_server_that_does_not_tell(
    case: Callable[..., Case], caplog: pytest.LogCaptureFixture, failure: int | None
) -> None:
    """A server that does not say how busy it is is read all the same; that is told once."""
    made = case()

    def silent(_: str) -> Mapping[str, str]:
        if failure is not None:
            raise pymysql.err.OperationalError(failure, "not for you")
        return {}

    made.server = silent  # type: ignore[assignment]
    made.rest()
    made.clock.now += 10
    made.rest()
    assert [
        "the source does not tell how busy it is; etlkit rests, but does not pause for it"
    ] == caplog.messages


def test_a_broken_connection(case: Callable[..., Case]) -> None:
    """A connection that breaks while the server is asked is told as what it is."""
    made = case()

    def broken(_: str) -> Mapping[str, str]:
        raise pymysql.err.OperationalError(2013, "Lost connection")

    made.server = broken  # type: ignore[assignment]
    with pytest.raises(pymysql.err.OperationalError, match="2013"):
        made.rest()


def test_the_hours_end(case: Callable[..., Case]) -> None:
    """A read ends between two chunks when the hours do in which the source may be read."""
    now = dt.datetime.now().astimezone()
    start, end = ((now + dt.timedelta(hours=hours)).strftime("%H:%M") for hours in (1, 2))
    made = case(allowed_hours=AllowedHours.parse(f"{start}-{end}"))
    with pytest.raises(OutsideAllowedHours) as refusal:
        made.rest()
    assert (
        f"table `patient`: the hours ended in which the source may be read ({start}-{end}, `source.allowed_hours` in "
        "etlkit.yml), so the read was given up, and what was loaded before is as it was; run again then"
    ) == refusal.value.message
