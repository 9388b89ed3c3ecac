"""Observer `alerts`: a message by Apprise (mail, chat, telephone, ...) when a run needs a person."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Iterator, Mapping, Sequence

from etlkit import Option, RunFinished, TableFinished, hookimpl

_SHOWN = 20  # tables of one message: more of them have most likely failed for one reason
_WHEN = ("failure", "watched", "always")
# They repeat addresses, which hold tokens.
_TALKATIVE = ("apprise", "urllib3.connectionpool")
_log = logging.getLogger(__name__)


def called_for(event: RunFinished, when: str) -> bool:
    """Say whether a run is to be told of.

    Args:
        event: the run's end.
        when: the option `on`.

    Returns:
        True if somebody has to know.
    """
    bad = [each for each in event.tables if each.error is not None or each.alert]
    if when == "watched":
        return event.error is not None or any(each.alert_on_failure for each in bad)
    return when == "always" or bool(event.exit_code or bad)


def message(event: RunFinished) -> tuple[str, str]:
    """Word what came of a run.

    Args:
        event: the run's end.

    Returns:
        The title and the text, without any row's value.
    """
    failed = [each for each in event.tables if each.error is not None]
    poor = [each for each in event.tables if each.error is None and each.alert]
    count = len({each.table for each in event.tables})
    if event.error is not None:
        what = "the run failed" if event.run_id else "the run could not begin"
    elif failed:
        what = f"{len(failed)} of {_tables(count)} {_was(len(failed))} not loaded"
    else:
        what = f"{_tables(count)} {_was(count)} loaded"
    if poor:
        what += f", {_tables(len(poor))} with too few rows as they are in the source"
    lines = [f"The run ended with exit code {event.exit_code} after {event.seconds:.0f} s."]
    if event.error is not None:
        lines.append(_line(event.error))
    lines += _listed([_failed(each) for each in failed])
    lines += _listed([_poor(each) for each in poor])
    if failed or poor or event.error is not None:
        lines.append("`etlkit status` and `etlkit report` tell more.")
    return f"etlkit {event.deployment}: {what}", "\n".join(lines)


@hookimpl
def etlkit_options() -> Iterator[Option]:
    """Name the options."""
    yield Option(
        name="urls",
        summary="Where to send messages: addresses as Apprise knows them, with blanks between; without it nowhere.",
        problem=lambda options: _wrong_addresses(options["urls"].split()),
    )
    yield Option(
        name="on",
        summary="`failure`, `always`, or `watched`: failures of tables with `alert_on_failure`; else `failure`.",
        problem=_wrong_choice,
    )


@hookimpl
def etlkit_run_finished(event: RunFinished, options: Mapping[str, str]) -> None:
    """Send the message.

    Args:
        event: the run's end.
        options: where to, and when.
    """
    urls = options.get("urls", "").split()
    if not urls or not called_for(event, options.get("on", _WHEN[0])):
        return
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType  # noqa: PLC0415 - loaded where it is used

    title, body = message(event)
    kind = NotifyType.FAILURE if event.exit_code else NotifyType.SUCCESS
    if any(each.alert for each in event.tables) and not event.exit_code:
        kind = NotifyType.WARNING
    unsent = []
    with _silenced():
        for number, url in enumerate(urls, 1):
            # One by one, so that it is known which of them failed.
            sender = Apprise(asset=AppriseAsset(app_id="etlkit", app_desc="etlkit"))
            sender.add(url)
            if not sender.notify(body, title, kind, body_format=NotifyFormat.TEXT):
                unsent.append(number)
    if unsent:
        places = ", ".join(str(number) for number in unsent)
        _log.error(
            "plugin `alerts`: the message about the run could not be sent to %d of %d addresses under `urls` "
            "(number %s); try it with the command `apprise`",
            len(unsent),
            len(urls),
            places,
        )


def _wrong_choice(options: Mapping[str, str]) -> str | None:
    if options["on"] not in _WHEN:
        return f"must be {', '.join(f'`{each}`' for each in _WHEN[:-1])} or `{_WHEN[-1]}`"
    return None if "urls" in options else "says when to send, but there is no `urls` to send to"


def _wrong_addresses(urls: Sequence[str]) -> str | None:
    if importlib.util.find_spec("apprise") is None:
        return "needs a package that is not installed; run `pip install 'etlkit-core[alerts]'`"
    if not urls:
        return "must be at least one address"
    from apprise import Apprise  # noqa: PLC0415 - loaded where it is used

    with _silenced():
        unknown = [str(number) for number, url in enumerate(urls, 1) if Apprise.instantiate(url) is None]
    if unknown:
        return f"must be addresses that Apprise knows (number {', '.join(unknown)} of {len(urls)} is none)"
    return None


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [each.disabled for each in loggers]
    try:
        for each in loggers:
            each.disabled = True
        yield
    finally:
        for each, disabled in zip(loggers, before, strict=True):
            each.disabled = disabled


def _failed(load: TableFinished) -> str:
    where = " on its way into the replica" if load.hop == "replica" else ""
    return f"`{load.table}` ({load.importance}) failed{where}: {load.error}"


def _poor(load: TableFinished) -> str:
    lost = sum(count for _, _, count, _ in load.losses)
    return (
        f"`{load.table}` ({load.importance}) was loaded, but fewer of its rows than its `data_quality_threshold` "
        f"asks for are as in the source: {lost:,} values that PostgreSQL cannot hold; verified: {load.verified}"
    )


def _listed(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [f"- {_line(each)}" for each in lines[:_SHOWN]] + (
        [f"- and {_tables(more)} more"] if more > 0 else []
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _tables(count: int) -> str:
    return "1 table" if count == 1 else f"{count:,} tables"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
