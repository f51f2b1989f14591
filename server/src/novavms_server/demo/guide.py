"""What the demo prints: where it is, who may log in, and the main job as lines to paste."""

from __future__ import annotations

import json
from typing import Any


def curl_lines(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """(what it shows, the line), in order; each works in a POSIX shell with curl and Python."""
    left = next(camera for camera in facts["simulated_cameras"] if camera["camera_id"] is None)
    body = {
        "site_id": facts["site_ids"][0],
        "gateway_id": facts["gateway_id"],
        "name": left["name"],
        "type": "onvif",
        "host": left["host"],
        "port": left["port"],
        "onvif_username": left["username"],
        "onvif_password": "wrong",
    }
    post = "curl -sS -X POST -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json'"
    wrong = json.dumps(body)
    right = json.dumps({**body, "onvif_password": left["password"]})
    field = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"%s\"])'"
    return [
        ("Where, and who", f"NOVA={facts['base_url']}/api/v1 KEY={facts['keys']['operator']}"),
        ("The cameras that are there", 'curl -sS -H "Authorization: Bearer $KEY" "$NOVA/cameras"'),
        (
            "Add a third with a wrong password: refused, with the reason and what to do",
            f"{post} \"$NOVA/cameras\" -d '{wrong}'",
        ),
        (
            "With the right one: checked for real, then there",
            f"CAMERA=$({post} \"$NOVA/cameras\" -d '{right}' | {field % 'id'}); echo $CAMERA",
        ),
        (
            "Press Record: ten seconds, and five from before",
            f'EVENT=$({post} "$NOVA/cameras/$CAMERA/trigger" -d \'{{"duration_sec": 10, "note": "from the demo"}}\' | {field % "event_id"}); echo $EVENT',
        ),
        (
            "Wait until the clip is ready",
            'until curl -sS -H "Authorization: Bearer $KEY" "$NOVA/events/$EVENT" | grep -q \'"status":"ready"\'; do sleep 1; done',
        ),
        (
            "Fetch it, and play it with any player",
            'curl -sSL -H "Authorization: Bearer $KEY" -o clip.mp4 "$NOVA/events/$EVENT/clip"; ls -l clip.mp4',
        ),
    ]


def guide(facts: dict[str, Any]) -> str:
    """The whole text."""
    rows = ["", f"  NovaVMS   {facts['base_url']}      API document: {facts['base_url']}/docs", ""]
    rows += ["  Log in (POST /api/v1/auth/login):"]
    rows += [
        f"    {role:<9} {login['email']:<27} {login['password']}" for role, login in facts["logins"].items()
    ]
    rows += ["", "  API keys:"]
    rows += [f"    {role:<9} {key}" for role, key in facts["keys"].items()]
    rows += ["", "  Simulated cameras:"]
    for camera in facts["simulated_cameras"]:
        state = "added" if camera["camera_id"] else "yours to add"
        where = f"{camera['host']}:{camera['port']}"
        rows += [
            f"    {camera['name']:<17} {camera['type']:<6} {where:<16} {camera['username']} / {camera['password']:<13} {state}"
        ]
    rows += ["", "  Try it, line by line, in another terminal:", ""]
    for title, line in curl_lines(facts):
        rows += [f"    # {title}", f"    {line}", ""]
    return "\n".join(rows)
