"""Every kind of byte is altered once, and the verdict names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novavms_verify import EvidenceError, fingerprint, verify_file
from novavms_verify.main import main

from .conftest import KEY, envelope, manifest_of, uuid_box  # type: ignore[import-not-found]

FINGERPRINT = fingerprint(KEY.public_key().public_bytes_raw())
Change = Callable[[dict[str, Any]], object]


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "dock.mp4"
    path.write_bytes(data)
    return path


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_what_was_exported_is_genuine_and_plays(tmp_path: Path, exported: bytes) -> None:
    path = written(tmp_path, exported)
    verdict = verify_file(path, expected_fingerprint=FINGERPRINT)
    assert verdict.is_genuine
    assert verdict.manifest["case_reference"] == "4711"
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 30


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True))
def test_any_altered_byte_shows(tmp_path: Path, exported: bytes, place: float) -> None:
    path = written(tmp_path, flipped(exported, int(place * len(exported))))
    try:
        assert not verify_file(path, expected_fingerprint=FINGERPRINT).is_genuine
    except EvidenceError:
        pass  # the envelope itself no longer reads: nothing vouches for the file


def test_altered_pictures_are_named_by_their_time(tmp_path: Path, video: bytes, exported: bytes) -> None:
    piece = manifest_of(video)["pieces"][3]
    verdict = verify_file(written(tmp_path, flipped(exported, piece["offset_bytes"] + 100)))
    assert [(item.kind, item.start) for item in verdict.findings] == [("piece", piece["start"])]


def test_an_altered_head_is_told_from_altered_pictures(tmp_path: Path, video: bytes, exported: bytes) -> None:
    verdict = verify_file(written(tmp_path, flipped(exported, exported.index(b"moov") + 40)))
    assert [item.kind for item in verdict.findings] == ["head"]


def test_bytes_added_after_the_evidence_show(tmp_path: Path, exported: bytes) -> None:
    assert [f.kind for f in verify_file(written(tmp_path, exported + b"x")).findings] == ["added"]


def test_bytes_put_between_video_and_evidence_show(tmp_path: Path, video: bytes) -> None:
    free = (16).to_bytes(4, "big") + b"free" + bytes(8)
    data = video + free + uuid_box(envelope(manifest_of(video)))
    assert "size" in [item.kind for item in verify_file(written(tmp_path, data)).findings]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda m: m["pieces"].pop(2), "chain"),
        (lambda m: m["pieces"].reverse(), "chain"),
        (lambda m: m["pieces"].pop(), "claim"),
        (lambda m: m.pop("head"), "claim"),
        (lambda m: m["file"].pop("sha256"), "claim"),
    ],
    ids=["taken out", "swapped", "last one taken out", "no head", "no hash"],
)
def test_a_signed_manifest_that_does_not_hold_together_is_not_believed(
    tmp_path: Path, video: bytes, change: Change, kind: str
) -> None:
    manifest = manifest_of(video)
    change(manifest)
    verdict = verify_file(written(tmp_path, video + uuid_box(envelope(manifest))))
    assert kind in [item.kind for item in verdict.findings]


def test_a_changed_claim_breaks_the_signature(tmp_path: Path, video: bytes) -> None:
    import base64

    fields = json.loads(envelope(manifest_of(video)))
    forged = {**manifest_of(video), "case_reference": "4712"}
    fields["manifest"] = base64.b64encode(json.dumps(forged).encode()).decode()
    verdict = verify_file(written(tmp_path, video + uuid_box(json.dumps(fields).encode())))
    assert [item.kind for item in verdict.findings] == ["signature"]


def test_another_key_signs_well_but_is_not_the_expected_one(tmp_path: Path, video: bytes) -> None:
    other = Ed25519PrivateKey.generate()
    path = written(tmp_path, video + uuid_box(envelope(manifest_of(video), other)))
    assert verify_file(path).is_genuine
    assert [f.kind for f in verify_file(path, expected_fingerprint=FINGERPRINT).findings] == ["key"]


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9999])
def test_a_file_cut_off_has_no_evidence(tmp_path: Path, exported: bytes, cut: float) -> None:
    with pytest.raises(EvidenceError):
        verify_file(written(tmp_path, exported[: int(len(exported) * cut)]))


@pytest.mark.parametrize(
    "data", [b"", b"hello", bytes(100), b"\xff" * 64], ids=["empty", "text", "zeros", "ones"]
)
def test_what_is_no_video_is_refused_with_a_sentence(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(EvidenceError):
        verify_file(written(tmp_path, data))


def test_a_zip_is_verified_with_all_in_it(archive: Callable[..., Path]) -> None:
    verdict = verify_file(archive(), expected_fingerprint=FINGERPRINT)
    assert verdict.is_genuine
    assert [file.name for file in verdict.files] == ["dock.mp4", "gate.mp4"]


def test_what_was_done_to_a_zip_shows(archive: Callable[..., Path], exported: bytes, video: bytes) -> None:
    assert [f.kind for f in verify_file(archive(gate_mp4=None)).findings] == ["missing"]
    assert [f.kind for f in verify_file(archive(more_txt=b"x")).findings] == ["added"]
    verdict = verify_file(archive(gate_mp4=flipped(exported, len(video) - 5)))
    assert [f.kind for f in verdict.findings] == ["file"]
    assert [f.kind for f in verdict.files[1].findings] == ["piece"]


def test_a_byte_altered_in_the_zip_itself_is_named(archive: Callable[..., Path], video: bytes) -> None:
    path = archive()
    data = path.read_bytes()
    path.write_bytes(flipped(data, data.index(video[-64:]) + 10))
    verdict = verify_file(path)
    assert [f.kind for f in verdict.findings] == ["file"]
    assert [f.kind for f in verdict.files[0].findings] == ["piece"]


def test_the_command_says_it_and_exits_with_it(
    tmp_path: Path, exported: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, exported)
    assert main([str(path), "--fingerprint", FINGERPRINT]) == 0
    shown = capsys.readouterr().out
    assert "Loading Dock East" in shown
    assert "no footage    2026-03-01T12:00:02Z" in shown
    assert "pictures lost 2026-03-01T12:00:05Z to 2026-03-01T12:00:05.4Z: 10 on their way here" in shown
    assert "times by the camera's clock; the camera's was 0.120 s behind" in shown
    assert "GENUINE" in shown
    path.write_bytes(flipped(exported, exported.index(b"mdat") + 500))
    assert main([str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["kind"] == "piece"
    path.write_bytes(b"nothing")
    assert main([str(path)]) == 2
    assert main([str(tmp_path / "missing.mp4")]) == 2
    assert "dock.mp4: " in capsys.readouterr().err


@pytest.mark.parametrize("given", [FINGERPRINT[:8], FINGERPRINT + "0", "g" * 64, "", FINGERPRINT[:63] + "…"])
def test_only_a_whole_fingerprint_is_one(
    tmp_path: Path, exported: bytes, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    path = written(tmp_path, exported)
    with pytest.raises(SystemExit) as ended:
        main([str(path), "--fingerprint", given])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert "it must be the whole fingerprint of 64 hex digits" in said.err
    colons = ":".join(FINGERPRINT.upper()[at : at + 2] for at in range(0, 64, 2))
    assert main([str(path), "--fingerprint", colons]) == 0


@pytest.mark.parametrize("offset_ms", [None, "soon", True, 10**400, [1]])
def test_how_the_clock_stood_is_said_only_where_it_was_told(
    tmp_path: Path, video: bytes, capsys: pytest.CaptureFixture[str], offset_ms: object
) -> None:
    manifest = manifest_of(video)
    manifest["clock"] = {"source": "arrival", "offset_ms": offset_ms}
    assert main([str(written(tmp_path, video + uuid_box(envelope(manifest))))]) == 0
    assert "times by the recorder's clock; the camera's was not told" in capsys.readouterr().out


def test_a_claim_cannot_write_on_the_terminal(
    tmp_path: Path, video: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = manifest_of(video)
    manifest["case_reference"] = "\x1b[2J\nGENUINE"
    main([str(written(tmp_path, flipped(video, 900) + uuid_box(envelope(manifest))))])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\nGENUINE" not in shown
