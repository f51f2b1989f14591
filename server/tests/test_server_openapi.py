"""The API document: complete, valid, true to what the server answers; and its pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from nova_world import World

from novavms_server.kit import errors
from novavms_server.platform import render_document

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render_document())
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, each) for path, item in document["paths"].items() for method, each in item.items()]


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for(
        {**schema, "components": document["components"]}, validate_formats=True
    )


def test_the_file_for_the_sdks_is_what_the_server_says() -> None:
    assert (ROOT / "sdk" / "openapi.json").read_text(encoding="utf-8") == render_document(), (
        "run: make openapi"
    )


def test_it_is_the_same_each_time_it_is_made() -> None:
    assert render_document() == render_document()


def test_every_operation_says_who_may_call_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    names = [each["operationId"] for _, _, each in operations(document)]
    assert len(names) == len(set(names)) > 40
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, each in operations(document):
        where = f"{method} {path}"
        assert set(each["tags"]) <= tags, where
        assert each["summary"], where
        assert each["x-required-role"] in ("public", "viewer", "operator", "admin", "owner"), where
        public = each["x-required-role"] == "public"
        assert (each.get("security") == []) == public, where
        wanted = {"400", "429", "500", "503"} | (set() if public else {"401", "403"})
        if "{" in path:
            wanted |= {"404"}
        if "requestBody" in each:
            wanted |= {"413", "415"}
        assert wanted <= set(each["responses"]), where
        for parameter in each.get("parameters", []):
            assert parameter["in"] != "path" or parameter["schema"] == {"type": "string", "format": "uuid"}, (
                where
            )
            assert "null" not in str(parameter["schema"].get("type")), where
        header_names = {item["name"] for item in each.get("parameters", []) if item["in"] == "header"}
        assert ("Idempotency-Key" in header_names) == (method == "post" and not public), where


def test_what_takes_if_match_has_an_etag_and_a_304(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        if "patch" in item:
            taken = {each["name"] for each in item["patch"]["parameters"]}
            assert "If-Match" in taken, path
            assert "ETag" in item["get"]["responses"]["200"]["headers"], path
            assert "304" in item["get"]["responses"], path


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    for method, path, each in operations(document):
        bodies = [each.get("requestBody", {}), *each["responses"].values()]
        for body in bodies:
            media = body.get("content", {}).get("application/json")
            if media is None:
                continue
            assert "example" in media, f"{method} {path}"
            problems = [
                str(item) for item in validator(document, media["schema"]).iter_errors(media["example"])
            ]
            assert problems == [], f"{method} {path}: {problems}"
    error = validator(document, {"$ref": "#/components/schemas/Error"})
    for example in document["components"]["examples"].values():
        assert error.is_valid(example["value"])


def test_every_error_of_section_0_is_in_it(document: dict[str, Any]) -> None:
    codes = set(document["components"]["examples"])
    assert {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ApiError) and hasattr(kind, "code")
    } - {"method_not_allowed"} <= codes
    assert {"invalid_credentials", "account_disabled", "ai_unavailable"} <= codes


async def test_answers_are_as_described(world: World, document: dict[str, Any]) -> None:
    admin = world.client("admin")
    account = (await admin.post("/api/v1/service-accounts", json={"name": "A", "role": "operator"})).json()[
        "id"
    ]
    for path in (
        "/api/v1/sites",
        "/api/v1/sites/{site_id}",
        "/api/v1/users",
        "/api/v1/service-accounts",
        "/api/v1/service-accounts/{account_id}",
        "/api/v1/service-accounts/{account_id}/keys",
        "/api/v1/orgs/current",
        "/api/v1/auth/me",
    ):
        answer = await admin.get(path.format(site_id=world.site, account_id=account))
        assert answer.status_code == 200
        described = document["paths"][path]["get"]["responses"]["200"]
        assert validator(document, described["content"]["application/json"]["schema"]).is_valid(
            answer.json()
        ), answer.text
        for header in described["headers"]:
            assert header.lower() in answer.headers, (path, header)
    refused = await admin.post("/api/v1/sites", json={"name": ""})
    assert validator(document, {"$ref": "#/components/schemas/Error"}).is_valid(refused.json())


async def test_the_document_and_its_pages_are_served_to_everybody(
    world: World, document: dict[str, Any]
) -> None:
    client = world.client(None)
    served = await client.get("/api/v1/openapi.json")
    assert served.json() == document
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for _, _, each in operations(document):
        assert f'id="{each["operationId"]}"' in page.text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page.text), (
        "nothing is fetched from elsewhere"
    )
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_pages_policy_allows_the_pages_own_style_and_script_only() -> None:
    import base64
    import hashlib

    from novavms_server.kit.docs_page import render_page, security_policy

    page = render_page(json.loads(render_document()))
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in security_policy()
    assert not re.findall(r"<[^<>]*\s(?:on\w+|style)=", page), "the policy forbids these"
