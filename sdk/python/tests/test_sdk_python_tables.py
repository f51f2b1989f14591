"""The command line's tables: whole cells in any window, one line a row where a script reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from novavms._cli.output import Terminal

ID = "01a208c8-17e5-755d-9f71-01bdb3a9da95"
COLUMNS = ("name", "status", "status_reason", "type", "codec", "id")


@dataclass
class Row:
    name: str
    status: str = "online"
    status_reason: str | None = None
    type: str = "onvif"
    codec: str | None = "h264"
    id: str = ID


def table(capsys: pytest.CaptureFixture[str], *rows: Row) -> tuple[list[str], str]:
    """What goes to stdout, line by line, and what to stderr."""
    Terminal().rows(cast("Any", rows), COLUMNS)
    told = capsys.readouterr()
    return [line.rstrip() for line in told.out.splitlines()], " ".join(told.err.split())


def test_a_narrow_window_has_fewer_columns_and_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, yard = Row("Loading Dock East"), Row("Yard")
    monkeypatch.setenv("COLUMNS", "84")
    lines, told = table(capsys, dock, yard)
    assert lines[1:] == [
        f"Loading Dock East  online  onvif  h264   {ID}",
        f"Yard               online  onvif  h264   {ID}",
    ]
    assert told == "2 in all; a wider window, or --json, has status reason, too"
    monkeypatch.setenv("COLUMNS", "69")
    lines, told = table(capsys, dock, yard)
    assert lines == [
        "name               status  id",
        f"Loading Dock East  online  {ID}",
        f"Yard               online  {ID}",
    ]
    assert told == "2 in all; a wider window, or --json, has status reason, type, codec, too"
    monkeypatch.setenv("COLUMNS", "120")
    lines, told = table(capsys, dock, yard)
    assert (lines[0].split()[1:4], told) == (["status", "status", "reason"], "2 in all")


def test_heads_take_two_lines_before_a_column_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "76")
    lines, told = table(capsys, Row("Dock", status_reason="frozen"))
    assert [line.split() for line in lines] == [
        ["status"],
        ["name", "status", "reason", "type", "codec", "id"],
        ["Dock", "online", "frozen", "onvif", "h264", ID],
    ]
    assert told == "1 in all"


def test_a_script_gets_each_row_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines, told = table(capsys, Row("A camera with a name as long as names may be " * 2))
    assert (len(lines), told) == (2, "1 in all")
    assert lines[1].endswith(ID)
    assert table(capsys)[0] == ["name  status  status reason  type  codec  id"]
