"""What a run of an import leaves for the next one: which camera is asked for again, and under which key."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer
from nova_scripted import Reply, ScriptedServer

from novavms import Client
from novavms._cli.importing import import_file
from novavms._cli.output import Terminal

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
CREATED = DOCUMENT["paths"]["/api/v1/cameras"]["post"]["responses"]["201"]
CAMERA = json.dumps(CREATED["content"]["application/json"]["example"]).encode()
REFUSED = b'{"error": "validation_error", "message": "No.", "request_id": "r", "reason": "auth_failed"}'
ADDED = Reply(201, CAMERA, {"content-type": "application/json"})
SITE = str(uuid4())
Run = Callable[[str], int]


@pytest.fixture
def run(server: ScriptedServer, tmp_path: Path) -> Iterator[Run]:
    """Imports one camera with this password: how many failed."""
    file = tmp_path / "cameras.csv"
    with Client(api_key="sk_live_x", base_url=server.url, max_retries=0) as client:

        def once(password: str) -> int:
            row = f"Gate,{SITE},rtsp://192.0.2.1/x,u,{password}\n"
            file.write_text("name,site,address,username,password\n" + row)
            return import_file(Terminal(as_json=True), client, file, None, at_once=1, dry_run=False)

        yield once


def keys(server: ScriptedServer) -> list[str]:
    return [asked.headers["idempotency-key"] for asked in server.requests]


def lines(folder: Path) -> list[dict[str, Any]]:
    with (folder / "cameras.results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("lost", [Reply(hang_up=True), Reply(503, b"{}"), Reply(502, b"<html>")])
def test_a_camera_that_may_have_been_made_is_asked_for_under_the_same_key(
    run: Run, server: ScriptedServer, tmp_path: Path, lost: Reply
) -> None:
    server.then(lost).then(ADDED)
    assert (run("secret"), run("secret")) == (1, 0)
    first, second = keys(server)
    assert first == second
    assert [line["status"] for line in lines(tmp_path)] == ["added"]


def test_one_that_was_refused_is_asked_for_under_another(
    run: Run, server: ScriptedServer, tmp_path: Path
) -> None:
    server.then(Reply(400, REFUSED, {"content-type": "application/json"})).then(ADDED)
    assert run("wrong") == 1
    assert [(line["status"], line["reason"]) for line in lines(tmp_path)] == [("failed", "auth_failed")]
    assert run("right") == 0
    first, second = keys(server)
    assert first != second
    assert [line["status"] for line in lines(tmp_path)] == ["added"]


def test_one_that_was_added_stays_so_whatever_its_password_is_now(
    run: Run, server: ScriptedServer, tmp_path: Path
) -> None:
    server.then(ADDED)
    assert run("old") == 0
    assert run("new") == 0
    assert len(server.requests) == 1
    assert len({line["row"] for line in lines(tmp_path)}) == 1


def test_warnings_are_told_once_for_each_kind_and_kept(
    server: ScriptedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    duplicate = {"code": "duplicate_device", "message": "Car park has the same stream."}
    report = {"ok": True, "elapsed_ms": 1, "stages": [], "warnings": [duplicate], "facts": {}}
    warned = json.dumps({**json.loads(CAMERA), "check": report}).encode()
    for _ in range(2):
        server.then(Reply(201, warned, {"content-type": "application/json"}))
    file = tmp_path / "cameras.csv"
    rows = "".join(f"{name},{SITE},rtsp://192.0.2.1/{name}\n" for name in ("a", "b"))
    file.write_text(f"name,site,address\n{rows}")
    with Client(api_key="sk_live_x", base_url=server.url, max_retries=0) as client:
        assert import_file(Terminal(), client, file, None, at_once=1, dry_run=False) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "2 added, 0 failed ! line 2, 3: Car park has the same stream." in told
    assert [line["warnings"] for line in lines(tmp_path)] == [
        "duplicate_device: Car park has the same stream."
    ] * 2


def test_the_same_warning_of_another_camera_is_told_by_itself(
    server: ScriptedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for other in ("Car park", "Dock", "Car park"):
        duplicate = {"code": "duplicate_device", "message": f"{other} has the same stream."}
        report = {"ok": True, "elapsed_ms": 1, "stages": [], "warnings": [duplicate], "facts": {}}
        warned = json.dumps({**json.loads(CAMERA), "check": report}).encode()
        server.then(Reply(201, warned, {"content-type": "application/json"}))
    file = tmp_path / "cameras.csv"
    rows = "".join(f"{name},{SITE},rtsp://192.0.2.1/{name}\n" for name in ("a", "b", "c"))
    file.write_text(f"name,site,address\n{rows}")
    with Client(api_key="sk_live_x", base_url=server.url, max_retries=0) as client:
        assert import_file(Terminal(), client, file, None, at_once=1, dry_run=False) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "! line 2, 4: Car park has the same stream. ! line 3: Dock has the same stream." in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,site,address\nGelände,s,rtsp://192.0.2.1/x\n".encode("latin-1"), "is not UTF-8"),
        (
            b"name,site,address,retention_days\na,s,rtsp://192.0.2.1/x,a month\n",
            "line 2: retention_days is no number",
        ),
    ],
)
def test_a_file_that_can_not_be_read_is_said_before_anything_is_asked(
    server: ScriptedServer, tmp_path: Path, text: bytes, said: str
) -> None:
    file = tmp_path / "cameras.csv"
    file.write_bytes(text)
    with (
        Client(api_key="sk_live_x", base_url=server.url) as client,
        pytest.raises(typer.BadParameter, match=said),
    ):
        import_file(Terminal(), client, file, None, at_once=1, dry_run=True)
    assert not server.requests
