"""`guardian memory`: what scans have met on the web and what is kept of it; forgetting, switching off and on."""

import asyncio

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.urls.addresses import host_name
from guardian.views.counting import counted
from guardian.views.memory import memory_facts, memory_json


@click.group
def command() -> None:
    """Every picture that a scan compared is remembered, copy or stranger: where it was seen, and what finds it again.

    A work that you protect today is compared with all of it. `memory` in config.yaml says how much is kept, and for
    how long.
    """


@command.command("status")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object.")
@pass_session
def status(session: Session, as_lines: bool) -> None:
    """Say how much is remembered, since when, and what bounds it."""
    from guardian.app import make_memory, make_workers

    # The workers only name the recipe; no process is started.
    workers = make_workers(session.config)
    with opened_store(session) as store:
        memory = make_memory(session.config, store, workers)
        shard = memory.shard if memory is not None else ""
        with store.read() as tx:
            counts = tx.seen_counts.of_memory(shard, workers.small_recipe)
            is_off, refused = tx.memory_settings.is_off(), tx.memory_settings.refused_hosts()

    remembers = session.config.memory.enabled and not is_off
    if as_lines:
        echo([json_line(memory_json(counts, session.config.memory, refused, remembers=remembers))])
        return
    facts = memory_facts(counts, session.config.memory, refused, remembers=remembers)
    echo(Screen.of_output().facts(facts, indent=0))


@command.command("forget")
@click.option("--host", required=True, help="A host; its subdomains are meant too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def forget(session: Session, host: str, yes: bool) -> None:
    """Forget all that was seen on a host, and remember nothing of it again. What cannot be undone is asked about first.

    Fingerprints and previews are erased from the disk. Cases, findings and evidence stay: they are what you know of
    uses of your own works. `guardian memory allow` ends the refusal.
    """
    from guardian.app import make_workers, opened_memory, utc_now
    from guardian.evidence.retention import require_free_host
    from guardian.memory.pruning import forget_host

    name = _host(host)
    with opened_store(session) as store:
        with store.read() as tx:
            require_free_host(tx, name)
            places, pictures = tx.forgetting.count_on(name)
        if places and not yes:
            also = f", and {counted(pictures, 'picture')} seen nowhere else" if pictures else ""
            click.confirm(f"Forget {counted(places, 'place')} on {name}{also}, for ever?", abort=True)
        forgotten = forget_host(
            store, opened_memory(session.config, store, make_workers(session.config)), name, utc_now()
        )
    places_text, pictures_text = counted(forgotten.addresses, "place"), counted(forgotten.pictures, "picture")
    click.echo(f"forgot {places_text} on {name}, and {pictures_text} that had been seen nowhere else")
    click.echo(f"nothing of it is remembered again until `guardian memory allow --host {name}`")


@command.command("allow")
@click.option("--host", required=True, help="A host that was forgotten.")
@pass_session
def allow(session: Session, host: str) -> None:
    """Let a host that was forgotten be remembered again, from the next scan on."""
    name = _host(host)
    with opened_store(session) as store, store.begin() as tx:
        was_refused = tx.memory_settings.allow(name)
    click.echo(f"{name} is remembered again" if was_refused else f"{name} was not refused")


@command.command("verify")
@pass_session
def verify(session: Session) -> None:
    """Read every byte of what this machine remembers, and take out what is damaged. Exit code 4 if anything was.

    Pictures of a damaged segment keep their places, and are made a fingerprint when a scan next meets them.
    """
    from guardian.app import make_workers, opened_memory

    with opened_store(session) as store:
        memory = opened_memory(session.config, store, make_workers(session.config))
        lost = memory.writer.repair()
    click.echo(f"{counted(lost, 'picture')} lost their fingerprint" if lost else "the memory is sound")
    raise SystemExit(4 if lost else 0)


@command.command("rebuild")
@pass_session
def rebuild(session: Session) -> None:
    """Make fingerprints anew after an upgrade or a change of the descriptor, and say of what that could not be done.

    Of pictures whose bytes evidence has they are made in full. Of all others only the preview is left: small crops of
    them are missed until a scan meets them again. Where only the appearance is of an earlier version, it gets the parts
    that it lacks, and copies are found as before.
    """
    asyncio.run(_rebuild(session))


async def _rebuild(session: Session) -> None:
    from guardian.app import make_workers, opened_memory
    from guardian.evidence.vaults import evidence_in
    from guardian.memory.rebuilding import earlier_appearances, rebuild

    config = session.config
    workers = make_workers(config)
    try:
        with opened_store(session) as store:
            memory = opened_memory(config, store, workers)
            if not memory.earlier_recipes() and not earlier_appearances(memory):
                click.echo(f"there is nothing to make anew: all is of recipe {memory.recipe}")
                return
            made = await rebuild(store, memory, workers, evidence_in(config.data_dir, config.evidence))
    finally:
        await workers.aclose()
    click.echo(f"made anew: {made.whole} of their bytes, {made.coarse} of their preview")
    if made.appearances:
        click.echo(f"completed: the appearance of {counted(made.appearances, 'picture')}, from the preview")
    if made.lost:
        click.echo(f"{counted(made.lost, 'picture')} have no fingerprint until a scan meets them again")


@command.command("off")
@click.option("--forget", "forgets", is_flag=True, help="Forget all that is remembered, too.")
@click.option("--yes", is_flag=True, help="Do not ask before all is forgotten.")
@pass_session
def off(session: Session, forgets: bool, yes: bool) -> None:
    """Remember nothing more, in all processes on this database, until `guardian memory on`."""
    from guardian.app import make_workers, opened_memory
    from guardian.evidence.retention import require_free_host
    from guardian.memory.pruning import forget_all

    with opened_store(session) as store:
        if forgets:
            with store.read() as tx:
                require_free_host(tx, None)
                pictures = tx.seen_counts.pictures()
            if pictures and not yes:
                click.confirm(f"Forget all that is remembered, {counted(pictures, 'picture')}, for ever?", abort=True)
        with store.begin() as tx:
            tx.memory_settings.switch(off=True)
        click.echo("nothing more is remembered until `guardian memory on`")
        if forgets:
            forgotten = forget_all(store, opened_memory(session.config, store, make_workers(session.config)))
            click.echo(f"forgot {counted(forgotten.pictures, 'picture')} at {counted(forgotten.addresses, 'place')}")


@command.command("on")
@pass_session
def on(session: Session) -> None:
    """Remember again, after `guardian memory off`."""
    with opened_store(session) as store, store.begin() as tx:
        tx.memory_settings.switch(off=False)
    if not session.config.memory.enabled:
        raise UsageError("memory.enabled is false in the configuration: nothing is remembered until it is true")
    click.echo("what scans compare is remembered")


def _host(text: str) -> str:
    try:
        return host_name(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
