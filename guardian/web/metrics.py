"""Prometheus metrics: counters of this process, and gauges that are read from the store at each scrape."""

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guardian.delivery.sending import Deliveries
from guardian.evidence import Vault
from guardian.model import Answer, CaseState, Importance, Skipped, TaskState
from guardian.store import Store


class Metrics:
    """The daemon's counters. One instance a process; `registry` is what /metrics prints."""

    def __init__(self, store: Store, vault: Vault, clock: Callable[[], datetime]) -> None:
        # A registry of its own: the library's global one would refuse a second instance in one process.
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

        self.registry.register(_StoreFacts(store, clock))
        self.registry.register(_EvidenceFacts(vault))
        self._images = Counter(
            "guardian_images", "Images answered, by source and outcome", ["source", "outcome"], registry=self.registry
        )
        self._left_out = Counter(
            "guardian_left_out",
            "What was not matched, by source and reason",
            ["source", "reason"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "guardian_image_seconds",
            "Fetch to answer, with waiting for the host and for a worker",
            registry=self.registry,
        )
        self._deliveries = Counter(
            "guardian_deliveries", "Delivery attempts, by result", ["result"], registry=self.registry
        )
        self._failures = Counter(
            "guardian_failures", "Unexpected errors, by supervision point", ["where"], registry=self.registry
        )

    def count(self, source: str, result: Answer | Skipped) -> None:
        """Count one result of a scan."""
        if isinstance(result, Skipped):
            self._left_out.labels(source, result.word).inc()
            return

        self._images.labels(source, result.outcome.value).inc()
        self._seconds.observe(result.elapsed_ms / 1000)
        if result.problem is not None:
            self._left_out.labels(source, result.problem.word).inc()

    def count_deliveries(self, sent: Deliveries) -> None:
        """Count delivery attempts by what came of them."""
        self._deliveries.labels("delivered").inc(sent.delivered)
        self._deliveries.labels("postponed").inc(sent.postponed)
        self._deliveries.labels("dead").inc(sent.dead)

    def count_failure(self, where: str) -> None:
        """Count an unexpected error that a supervision point survived."""
        self._failures.labels(where).inc()


class _StoreFacts(Collector):
    """Gauges of what the database holds, read at each scrape so that they cannot drift from it."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def collect(self) -> Iterable[Metric]:
        """Yield the gauges; the registry calls this for each scrape."""
        # One snapshot for all of them, so that their numbers fit together.
        with self._store.read() as tx:
            now = self._clock()
            yield GaugeMetricFamily("guardian_assets", "Protected assets", tx.assets.count())
            yield GaugeMetricFamily("guardian_tasks_due", "Tasks whose time has come", tx.tasks.due_count(now))
            dead = tx.tasks.counts().get(TaskState.DEAD, 0)
            yield GaugeMetricFamily("guardian_tasks_dead", "Tasks given up, waiting for a person", dead)
            yield GaugeMetricFamily("guardian_cases_open", "Open cases", tx.cases.count(CaseState.OPEN))

            versions = GaugeMetricFamily(
                "guardian_evidence_versions", "Versions of pictures and pages that are kept, by why", labels=["why"]
            )
            kept = tx.versions.counts()
            for importance in Importance:
                versions.add_metric([importance.value], kept.get(importance, 0))
            yield versions

            # A running scan has counted nothing yet, so its source has no sample until it ends.
            last = GaugeMetricFamily("guardian_last_scan_timestamp_seconds", "End of the last scan", labels=["source"])
            counts = GaugeMetricFamily(
                "guardian_last_scan_count", "What the last scan counted, by word", labels=["source", "what"]
            )
            for scan in tx.scans.latest():
                if scan.ended_at is not None:
                    last.add_metric([scan.source], scan.ended_at.timestamp())
                    for what, number in scan.counts.as_words().items():
                        counts.add_metric([scan.source, what], number)

            yield last
            yield counts


class _EvidenceFacts(Collector):
    """Gauges of the evidence on disk, so that its cap can be seen coming."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def collect(self) -> Iterable[Metric]:
        """Yield the gauges; the registry calls this for each scrape."""
        yield GaugeMetricFamily("guardian_evidence_bytes", "Bytes of evidence that are kept", self._vault.used_bytes())
        yield GaugeMetricFamily("guardian_evidence_max_bytes", "evidence.max_bytes", self._vault.max_bytes)
