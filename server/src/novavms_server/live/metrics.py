"""What /metrics shows of live view."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class LiveMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.watchers = Gauge(
            "novavms_live_viewers", "Live views that are open.", ("protocol",), registry=registry
        )
        self.upstreams = Gauge(
            "novavms_live_upstreams", "Cameras and tiers that are brought here.", registry=registry
        )
        self._bytes = Counter("novavms_live_bytes_total", "Of live view.", ("direction",), registry=registry)
        self.bytes_in = self._bytes.labels("in")
        self.bytes_out = self._bytes.labels("out")
        self.dropped = Counter(
            "novavms_live_dropped_fragments_total",
            "Not shown to viewers that are too slow.",
            registry=registry,
        )
        self.held = Gauge(
            "novavms_live_held_bytes", "Pictures in memory, for who watches live.", registry=registry
        )
        self.stalls = Counter(
            "novavms_live_stalls_total", "Upstreams without a frame for 10 s.", registry=registry
        )
