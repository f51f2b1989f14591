"""What the server is told of this box."""

from __future__ import annotations

from urllib.parse import urlsplit

from novavms_gateway.kit.machine import Machine
from novavms_protocol import GatewayFacts


def gateway_facts(machine: Machine, server_url: str) -> GatewayFacts:
    """Hardware, system and network. Looks the server's name up; blocks for as long as that takes."""
    server = urlsplit(server_url)
    return GatewayFacts(
        hostname=machine.hostname(),
        os=machine.system(),
        arch=machine.architecture(),
        cpu_count=machine.cpu_count(),
        memory_bytes=machine.memory_total_bytes(),
        disk_bytes=machine.disk().total_bytes,
        local_ip=machine.address_towards(server.hostname or "", server.port or 443),
        hardware_id=machine.hardware_id(),
    )
