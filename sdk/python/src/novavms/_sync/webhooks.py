# Made from _async/ by tools/sdk_python; not to be edited.
"""`client.webhooks`."""

from __future__ import annotations

from novavms._sync.resource import Resource
from novavms.webhooks import verify_signature


class WebhooksResource(Resource):
    """`client.webhooks`"""

    verify_signature = staticmethod(verify_signature)
