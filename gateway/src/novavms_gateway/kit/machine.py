"""What the box knows of itself: facts that stay, and readings that change. Linux's /proc where there is one."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DiskSpace:
    free_bytes: int
    total_bytes: int


class Machine:
    """Reads this box; `data_dir` says which disk counts. Nothing here raises: an unreadable fact is empty or zero."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._busy_before = _cpu_times()

    def disk(self) -> DiskSpace:
        try:
            usage = shutil.disk_usage(self._data_dir)
        except OSError:
            return DiskSpace(0, 0)
        return DiskSpace(usage.free, usage.total)

    def cpu_percent(self) -> float:
        """Load of all cores since the last call, 0–100."""
        busy, total = _cpu_times()
        busy_before, total_before = self._busy_before
        self._busy_before = (busy, total)
        span = total - total_before
        return round(100.0 * (busy - busy_before) / span, 1) if span > 0 else 0.0

    @staticmethod
    def memory_used_bytes() -> int:
        """Resident memory of this process."""
        try:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    @staticmethod
    def memory_total_bytes() -> int:
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (OSError, ValueError):
            return 0

    @staticmethod
    def hostname() -> str:
        return platform.node()

    @staticmethod
    def system() -> str:
        return f"{platform.system()} {platform.release()}"

    @staticmethod
    def architecture() -> str:
        return platform.machine()

    @staticmethod
    def cpu_count() -> int:
        return os.cpu_count() or 0

    @staticmethod
    def hardware_id() -> str | None:
        """Stays through reinstalls of ours; hashed, as machine-id(5) asks of whoever sends it over a network."""
        for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
            try:
                machine_id = Path(path).read_text(encoding="ascii").strip()
            except (OSError, ValueError):
                continue
            if machine_id:
                return hashlib.sha256(f"novavms-gateway:{machine_id}".encode()).hexdigest()[:32]
        return None

    @staticmethod
    def mac_at(address: str, table: Path = Path("/proc/net/arp")) -> str | None:
        """The MAC that this box's neighbour table (proc_net(5), IPv4) has for an address, as aa:bb:cc:dd:ee:ff; None for
        one behind a router, without an entry, or where there is no such table."""
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except (OSError, ValueError):
            return None
        for line in lines:
            columns = line.split()
            # Flags without 0x2 (ATF_COM): asked for, never answered.
            if len(columns) >= 4 and columns[0] == address and int(columns[2], 16) & 2:
                return columns[3].lower()
        return None

    @staticmethod
    def address_towards(host: str, port: int) -> str | None:
        """The local IP that packets to that host leave from; sends none (a UDP connect only picks the route)."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.connect(address)
                return str(probe.getsockname()[0])
        except OSError:
            return None


def _cpu_times() -> tuple[float, float]:
    """(busy, total) since boot in ticks, proc_stat(5); without /proc: this process's seconds over all cores'."""
    try:
        with Path("/proc/stat").open(encoding="ascii") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return time.process_time(), time.monotonic() * (os.cpu_count() or 1)
    total = float(sum(ticks))
    return total - ticks[3] - ticks[4], total
