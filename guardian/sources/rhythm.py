"""When a source is to be scanned: in words, and the times that follow from its interval or cron line."""

from datetime import datetime, timedelta

from guardian.sources.settings import SourceSettings
from guardian.strict_yaml import show_duration


def next_time(source: SourceSettings, after: datetime) -> datetime | None:
    """Return when a source is to be scanned next after an aware time, without jitter; None for never again."""
    if source.cron is None:
        return after + max(source.every, timedelta(seconds=1))

    # Only configurations with cron lines pay for loading their reader.
    from guardian.sources.cron import times_after

    return next(times_after(source.cron, source.timezone or "UTC", after), None)


def rhythm_text(source: SourceSettings) -> str:
    """Return a source's rhythm in words: "every 6h", "at 03:00 on Monday (Europe/Berlin), up to 10m later"."""
    words = f"every {show_duration(source.every)}"
    if source.cron is not None:
        from guardian.sources.cron import cron_text

        words = f"{cron_text(source.cron)} ({source.timezone or 'UTC'})"
    return f"{words}, up to {show_duration(source.jitter)} later" if source.jitter else words
