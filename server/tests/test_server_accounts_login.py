"""/auth over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from nova_people import PASSWORD, HandClock, add_user, client_of, log_in
from nova_world import World, make_world

pytestmark = [pytest.mark.anyio, pytest.mark.slow]  # argon2 takes its time by design
API = "/api/v1"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def timed(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[World]:
    """A world whose clock is `clock`."""
    async with make_world(database_url, tmp_path, clock=clock) as world:
        yield world


async def refresh(world: World, token: str) -> httpx.Response:
    return await world.client(None).post(f"{API}/auth/refresh", json={"refresh_token": token})


async def test_log_in_answers_tokens_and_the_user(world: World) -> None:
    user_id, email = await add_user(world, "operator")
    answer = await log_in(world, email.upper())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["user"] == {
        "id": str(user_id),
        "email": email,
        "display_name": "Operator",
        "role": "operator",
        "org_id": str(world.org),
        "must_change_password": False,
    }
    assert body["expires_at"].endswith("Z")
    assert body["refresh_token"].startswith("rt_")
    assert "set-cookie" not in answer.headers
    client = world.client(token=body["access_token"])
    me = (await client.get(f"{API}/auth/me")).json()
    assert (me["kind"], me["id"], me["org_name"], me["site_ids"]) == ("user", str(user_id), "Acme", None)
    assert (await client.post(f"{API}/sites", json={"name": "x"})).status_code == 403
    key_me = (await world.client("viewer").get(f"{API}/auth/me")).json()
    assert (key_me["kind"], key_me["email"], key_me["site_ids"]) == (
        "service_account",
        None,
        [str(world.site)],
    )


async def test_a_page_gets_its_refresh_token_as_a_cookie_that_scripts_and_other_sites_cant_use(
    world: World,
) -> None:
    _, email = await add_user(world, "admin")
    answer = await log_in(world, email, client_type="web", remember_me=True)
    assert "refresh_token" not in answer.json()
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/api/v1/auth", f"max-age={30 * 86400}"):
        assert part in cookie, cookie
    assert "secure" not in cookie  # plain HTTP on this machine
    value = answer.cookies["novavms_refresh"]
    client = world.client(None)
    headers = {"Cookie": f"novavms_refresh={value}"}
    foreign = await client.post(f"{API}/auth/refresh", headers={**headers, "Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["error"]) == (403, "forbidden")
    cross = await client.post(f"{API}/auth/refresh", headers={**headers, "Sec-Fetch-Site": "same-site"})
    assert cross.status_code == 403
    fresh = await client.post(f"{API}/auth/refresh", headers={**headers, "Origin": world.base_url})
    assert fresh.status_code == 200, fresh.text
    assert fresh.cookies["novavms_refresh"] != value
    assert "refresh_token" not in fresh.json()


async def test_the_cookie_is_secure_when_the_server_is_reached_by_a_name(world: World) -> None:
    _, email = await add_user(world, "admin")
    answer = await world.client(None).post(
        f"{API}/auth/login", json={"email": email, "password": PASSWORD}, headers={"Host": "vms.example.org"}
    )
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_an_unknown_email_and_a_wrong_password_get_the_same_answer_after_the_same_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, email = await add_user(world, "admin")
    passwords = world.server.services.login._passwords
    verified: list[int] = []
    original = passwords._verify_now

    def counting(stored: str, password: str) -> bool:
        verified[-1] += 1
        return original(stored, password)

    monkeypatch.setattr(passwords, "_verify_now", counting)
    answers = []
    for who in (email, "nobody@acme.example"):
        verified.append(0)
        answers.append(await log_in(world, who, "Wrong-Password-1"))
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_credentials")
    first, second = (dict(answer.json(), request_id=None) for answer in answers)
    assert first == second
    assert verified[0] == verified[1] > 0


async def test_five_tries_for_an_email_also_when_they_come_at_once(timed: World, clock: HandClock) -> None:
    _, email = await add_user(timed, "admin")
    answers = await asyncio.gather(*(log_in(timed, email, "Wrong-Password-1") for _ in range(9)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 4
    late = await log_in(timed, email)
    assert (late.status_code, late.json()["error"]) == (429, "rate_limited")
    assert late.headers["retry-after"] == "900"
    assert (await log_in(timed, "else@acme.example")).status_code == 401
    clock.move(minutes=15, seconds=1)
    assert (await log_in(timed, email)).status_code == 200
    for _ in range(6):  # a success clears the count
        assert (await log_in(timed, email)).status_code == 200


async def test_account_disabled_is_said_only_to_who_knows_the_password(world: World) -> None:
    user_id, email = await add_user(world, "operator")
    await world.sql("UPDATE users SET enabled = false WHERE id = %s", user_id)
    assert (await log_in(world, email, "Wrong-Password-1")).json()["error"] == "invalid_credentials"
    right = await log_in(world, email)
    assert (right.status_code, right.json()["error"]) == (403, "account_disabled")


async def test_one_email_in_two_orgs(world: World) -> None:
    await add_user(world, "admin", email="both@example.com", password="In-Acme-12345")
    await add_user(world, "admin", email="both@example.com", other=True, password="In-Globex-123")
    for password, org in (("In-Acme-12345", world.org), ("In-Globex-123", world.other_org)):
        answer = await log_in(world, "both@example.com", password)
        assert answer.json()["user"]["org_id"] == str(org)
    wrong_org = await log_in(world, "both@example.com", "In-Acme-12345", org_id=str(world.other_org))
    assert wrong_org.status_code == 401


async def test_refresh_rotates_and_an_old_token_ends_the_session(world: World) -> None:
    _, email = await add_user(world, "admin")
    first = (await log_in(world, email)).json()
    second = (await refresh(world, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    client = world.client(token=second["access_token"])
    assert (await client.get(f"{API}/auth/me")).status_code == 200
    stolen = await refresh(world, first["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (401, "invalid_token")
    assert (await refresh(world, second["refresh_token"])).status_code == 401
    assert (await client.get(f"{API}/auth/me")).status_code == 401
    actions = [row[0] for row in await world.sql("SELECT action FROM audit_log ORDER BY id")]
    assert "session.ended_by_reuse" in actions


async def test_two_tabs_that_refresh_in_the_same_moment_get_the_same_token(timed: World) -> None:
    _, email = await add_user(timed, "admin")
    token = (await log_in(timed, email)).json()["refresh_token"]
    one, two = await asyncio.gather(
        refresh(timed, token), refresh(timed, token)
    )  # the clock stands: one moment
    assert one.status_code == two.status_code == 200
    assert one.json()["refresh_token"] == two.json()["refresh_token"]
    assert (await refresh(timed, one.json()["refresh_token"])).status_code == 200


async def test_tokens_end_in_time(timed: World, clock: HandClock) -> None:
    _, email = await add_user(timed, "admin")
    answer = (await log_in(timed, email)).json()
    client = timed.client(token=answer["access_token"])
    assert (await client.get(f"{API}/auth/me")).status_code == 200
    clock.move(minutes=14, seconds=50)
    assert (await client.get(f"{API}/auth/me")).status_code == 200
    clock.move(seconds=10)  # remembered a moment ago, and yet over
    assert (await client.get(f"{API}/auth/me")).json()["error"] == "invalid_token"
    clock.move(days=6, hours=23)
    again = await refresh(timed, answer["refresh_token"])
    assert again.status_code == 200
    clock.move(days=7, seconds=1)
    assert (await refresh(timed, again.json()["refresh_token"])).status_code == 401
    long = (await log_in(timed, email, remember_me=True)).json()
    clock.move(days=29)
    assert (await refresh(timed, long["refresh_token"])).status_code == 200


async def test_a_sixth_session_ends_the_oldest(world: World) -> None:
    _, email = await add_user(world, "admin")
    clients = [await client_of(world, email) for _ in range(5)]
    for client in clients:
        assert (await client.get(f"{API}/auth/me")).status_code == 200
    sixth = await client_of(world, email)
    assert [(await client.get(f"{API}/auth/me")).status_code for client in (*clients, sixth)] == [401] + [
        200
    ] * 5


async def test_logging_out_holds_from_the_next_request(world: World) -> None:
    _, email = await add_user(world, "viewer")
    answer = (await log_in(world, email)).json()
    client = world.client(token=answer["access_token"])
    assert (await client.get(f"{API}/auth/me")).status_code == 200
    out = await client.post(f"{API}/auth/logout")
    assert out.status_code == 204
    assert "max-age=0" in out.headers["set-cookie"].lower()
    assert (await client.get(f"{API}/auth/me")).json()["error"] == "invalid_token"
    assert (await refresh(world, answer["refresh_token"])).status_code == 401
    assert (await world.client("admin").post(f"{API}/auth/logout")).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"key": b"x" * 32},
        {"claims": {"exp": 1}},
        {"claims": {"sub": "no-uuid"}},
        {"claims": {"exp": "soon"}},
        {"claims": {"iss": "someone"}},
        {"claims": {"sid": None}},
    ],
)
async def test_a_forged_token_is_refused(shared_world: World, change: dict[str, Any]) -> None:
    _, email = await add_user(shared_world, "admin", email=f"{uuid4().hex}@acme.example")
    key = shared_world.server.sealer.derive("access-tokens")
    claims = jwt.decode((await log_in(shared_world, email)).json()["access_token"], key, algorithms=["HS256"])
    sound = jwt.encode(claims, key, algorithm="HS256")
    assert (await shared_world.client(token=sound).get(f"{API}/auth/me")).status_code == 200
    claims = {
        name: value for name, value in {**claims, **change.get("claims", {})}.items() if value is not None
    }
    algorithm = change.get("alg", "HS256")
    forged = jwt.encode(claims, None if algorithm == "none" else change.get("key", key), algorithm=algorithm)
    answer = await shared_world.client(token=forged).get(f"{API}/auth/me")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_changing_the_password_ends_the_other_sessions(world: World) -> None:
    _, email = await add_user(world, "operator")
    here, there = await client_of(world, email), await client_of(world, email)
    wrong = await here.post(
        f"{API}/auth/change-password",
        json={"current_password": "No-Idea-123", "new_password": "Another-One-2"},
    )
    assert (wrong.status_code, wrong.json()["details"][0]["field"]) == (400, "current_password")
    weak = await here.post(
        f"{API}/auth/change-password", json={"current_password": PASSWORD, "new_password": "alllower1!"}
    )
    assert (weak.status_code, weak.json()["details"][0]["field"]) == (400, "new_password")
    assert "alllower1!" not in weak.text
    done = await here.post(
        f"{API}/auth/change-password", json={"current_password": PASSWORD, "new_password": "Another-One-2"}
    )
    assert done.status_code == 204, done.text
    assert (await here.get(f"{API}/auth/me")).status_code == 200
    assert (await there.get(f"{API}/auth/me")).status_code == 401
    assert (await log_in(world, email)).status_code == 401
    assert (await log_in(world, email, "Another-One-2")).status_code == 200


async def test_guessing_the_current_password_is_limited_too(world: World) -> None:
    _, email = await add_user(world, "operator")
    client = await client_of(world, email)
    body = {"current_password": "No-Idea-123", "new_password": "Another-One-2"}
    answers = [await client.post(f"{API}/auth/change-password", json=body) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]


async def test_a_forgotten_password_is_reset_by_a_token_from_an_admin(world: World) -> None:
    user_id, email = await add_user(world, "operator")
    client = await client_of(world, email)
    answers = [
        await world.client(None).post(f"{API}/auth/forgot-password", json={"email": who})
        for who in (email, "nobody@acme.example")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["message"] == (
        "There is no mail yet: ask an admin of your organization for a new password."
    ), "it claims nothing that did not happen"

    admin = world.client("admin")
    issued = (await admin.post(f"{API}/users/{user_id}/reset-password")).json()
    reset = {"token": issued["reset_token"], "new_password": "Brand-New-99"}
    weak = await world.client(None).post(
        f"{API}/auth/reset-password", json={**reset, "new_password": "short"}
    )
    assert weak.status_code == 400
    done = await world.client(None).post(f"{API}/auth/reset-password", json=reset)
    assert done.status_code == 204, done.text
    assert (await client.get(f"{API}/auth/me")).status_code == 401
    assert (await log_in(world, email, "Brand-New-99")).status_code == 200
    twice = await world.client(None).post(f"{API}/auth/reset-password", json=reset)
    assert (twice.status_code, twice.json()["details"][0]["field"]) == (400, "token")


async def test_a_temporary_password_opens_nothing_but_its_change(world: World) -> None:
    made = await world.client("admin").post(
        f"{API}/users", json={"email": "new@acme.example", "display_name": "New", "role": "operator"}
    )
    assert made.status_code == 201, made.text
    temporary = made.json()["temporary_password"]
    client = await client_of(world, "new@acme.example", temporary)
    closed = await client.get(f"{API}/sites")
    assert (closed.status_code, closed.json()["error"]) == (403, "forbidden")
    assert "change-password" in closed.json()["message"]
    assert (await client.get(f"{API}/auth/me")).json()["must_change_password"] is True
    body = {"current_password": temporary, "new_password": PASSWORD}
    assert (await client.post(f"{API}/auth/change-password", json=body)).status_code == 204
    assert (await client.get(f"{API}/sites")).status_code == 200


async def test_bad_bodies(world: World) -> None:
    client = world.client(None)
    for body, fieldname in (
        ({"email": "no-at", "password": "x"}, "email"),
        ({"email": "a@b.c"}, "password"),
        ({"email": "a@b.c", "password": "x", "client_type": "tv"}, "client_type"),
        ({"email": "a@b.c", "password": "x", "remember_me": "yes"}, "remember_me"),
    ):
        answer = await client.post(f"{API}/auth/login", json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["details"][0]["field"] == fieldname, answer.text
    nothing = await client.post(f"{API}/auth/refresh")
    assert (nothing.status_code, nothing.json()["error"]) == (401, "invalid_token")
