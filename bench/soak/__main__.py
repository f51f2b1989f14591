"""`python -m bench.soak [--minutes 120] [--cameras 50]`: a line a minute, a verdict, 1 where a figure misses its limit.

Stops early, with a verdict, on SIGTERM or Ctrl-C. Everything it makes is in one temporary folder, and gone with it.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import signal
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil

from bench import Result
from bench.__main__ import show
from bench._site import Site, make_site
from bench.soak import verdict
from bench.soak.figures import MB, Ledger, Sample, database_of, ledger, own_memory, sample, share_of_core
from bench.soak.life import Life

SAMPLE_SEC = 10.0
BYTES_PER_CAMERA = 16_000_000
"""Of footage kept: the bundled footage makes as much in under six minutes, so that retention runs all the time."""
QUIET_MINUTES = 3
"""Before the end nothing new is done to cameras."""


class Soak:
    """One run on a site that runs."""

    def __init__(self, site: Site, minutes: float, max_bytes: int, stop: asyncio.Event) -> None:
        self._site = site
        self._minutes = minutes
        self._max_bytes = max_bytes
        self._stop = stop
        self.life = Life(site)
        self.gateway: list[Sample] = []
        self.server: list[Sample] = []
        self.simcam: list[Sample] = []
        self.ledgers: list[Ledger] = []

    async def run(self) -> tuple[list[Result], list[str]]:
        """Until the time is over or `stop`; the verdict on what is to be seen while all runs."""
        started, began = datetime.now(UTC), time.monotonic()
        try:
            minute = 0
            while not self._stop.is_set() and time.monotonic() - began < self._minutes * 60:
                self._sample()
                if time.monotonic() - began >= minute * 60:
                    await self._minute(minute)
                    minute += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), SAMPLE_SEC)
            await self.life.end(within=60)
        finally:
            await self.life.cancel()
        until = datetime.now(UTC) - timedelta(seconds=verdict.LAG_SEC)
        results, sentences = await verdict.of_gaps(self._site, self.life, started, until)
        results += verdict.of_footage(self.life, self.ledgers, self._max_bytes)
        results += verdict.of_processes(self.gateway, self.server, len(self._site.cameras))
        return results, [*sentences, *self.life.failed]

    def _sample(self) -> None:
        self.gateway.append(sample(self._site.gateway.pid))
        self.simcam.append(sample(self._site.simcam.pid))
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # it may be restarting
            self.server.append(sample(self._site.server.pid))

    async def _minute(self, number: int) -> None:
        """The line, and what happens in this minute."""
        await self.life.follow_clips()
        seen = await ledger(self._site)
        self.ledgers.append(seen)
        if number:  # in the first there is nothing to cut and to play yet
            self.life.minute(number, is_last=number > self._minutes - QUIET_MINUTES)
        if number == 3 * max(1, round(self._minutes / 18)):
            self.life.restart_server()
        gateway, server, minute = self.gateway[-1], self.server[-1], slice(-round(60 / SAMPLE_SEC) - 1, None)
        ready = sum(status == "ready" for status in self.life.clips.values())
        database = database_of(self._site.server.data)
        print(
            f"{number:4} min | gateway {gateway.rss / MB:.1f} MB, {gateway.files} files, {gateway.threads} threads,"
            f" {share_of_core(self.gateway[minute]):.1f} % | server {server.rss / MB:.1f} MB, {server.files} files,"
            f" {share_of_core(self.server[minute]):.1f} % | database {own_memory(database) / MB:.0f} MB, {len(database)} processes"
            f" | cameras {share_of_core(self.simcam[minute]):.1f} %"
            f" | {seen.segments} segments, {seen.size / MB:.0f} MB, {seen.gaps} gaps, {seen.lossy_ms} ms lossy, {seen.dropped} dropped"
            f" | ledger {seen.lag_sec:.0f} s behind, {seen.rows_waiting} rows waiting"
            f" | clips {ready} of {len(self.life.clips)} | {self.life.played} played | {len(self.life.failed)} failed",
            flush=True,
        )

    def write_samples(self, path: Path) -> None:
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("process", *Sample._fields))
            for name in ("gateway", "server", "simcam"):
                rows.writerows((name, *each) for each in getattr(self, name))


async def main(arguments: argparse.Namespace) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    max_bytes = arguments.cameras * BYTES_PER_CAMERA
    settings = {"NOVAVMS_GATEWAY_RECORDINGS_MAX_BYTES": str(max_bytes)}
    settings |= {"NOVAVMS_GATEWAY_RECORDINGS_RESERVE_BYTES": "0"}
    with tempfile.TemporaryDirectory(prefix="novavms-soak-") as name:
        folder = Path(name)
        async with make_site(folder, arguments.cameras, settings=settings) as site:
            await site.add(arguments.cameras, over_udp=arguments.cameras // 10)
            print(f"{arguments.cameras} cameras for {arguments.minutes:g} minutes", flush=True)
            soak = Soak(site, arguments.minutes, max_bytes, stop)
            try:
                results, sentences = await soak.run()
            finally:
                if arguments.samples is not None:
                    soak.write_samples(arguments.samples)
        on_disk, wrong = verdict.of_disk(site.index, site.volume)
        left = len(database_of(site.server.data)) + len(psutil.Process().children(recursive=True))
        log = site.gateway.log.read_text()
        if arguments.samples is not None:
            arguments.samples.with_suffix(".gateway.log").write_text(log)
    tracebacks = log.count("Traceback")
    results += [
        *on_disk,
        Result(
            "the gateway's end: its exit code",
            f"{site.gateway.exit_code}",
            "0",
            abs(site.gateway.exit_code or 0),
            0,
        ),
        Result("exceptions in the gateway's log", f"{tracebacks}", "0", tracebacks, 0),
        Result("processes left", f"{left}", "0", left, 0),
    ]
    for sentence in verdict.table([*sentences, *wrong]):
        print(sentence)
    show(results)
    return 0 if all(result.holds for result in results) else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="how long (120)")
    parser.add_argument("--cameras", type=int, default=50, help="how many (50)")
    parser.add_argument(
        "--samples", type=Path, help="write every sample to this file (CSV), the gateway's log beside it"
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(read_arguments())))
    except (RuntimeError, httpx.HTTPError) as error:
        sys.exit(f"the soak could not run: {error}")
