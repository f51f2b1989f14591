"""What the API's document shows of /sites."""

from __future__ import annotations

from novavms_server.kit.openapi import Example
from novavms_server.sites.errors import SiteInUse, SiteNameTaken

SITE = {
    "id": "0198f2a4-6c00-7c3e-9d5b-3f1a2b4c5d6e",
    "name": "Harbour",
    "timezone": "Europe/Berlin",
    "address": "Quay 3",
    "version": 1,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:00Z",
}

EXAMPLES = {
    "listSites": Example(response={"data": [SITE], "next_cursor": None, "total": 1}),
    "createSite": Example(
        {"name": "Harbour", "timezone": "Europe/Berlin", "address": "Quay 3"}, SITE, (SiteNameTaken,)
    ),
    "getSite": Example(response=SITE),
    "updateSite": Example(
        {"name": "Old harbour"}, {**SITE, "name": "Old harbour", "version": 2}, (SiteNameTaken,)
    ),
    "deleteSite": Example(errors=(SiteInUse,)),
}
