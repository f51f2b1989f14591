"""`client.webhooks`."""

from __future__ import annotations

from novavms._async.resource import AsyncResource
from novavms.webhooks import verify_signature


class AsyncWebhooksResource(AsyncResource):
    """`client.webhooks`"""

    verify_signature = staticmethod(verify_signature)
