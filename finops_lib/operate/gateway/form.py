"""Gateway form: what a LiteLLM gateway is given, and the names it knows things by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

Payloads = dict[str, list[dict[str, Any]]]

ENDPOINTS = {
    "budgets": "/budget/new",
    "teams": "/team/new",
    "projects": "/project/new",
    "keys": "/key/generate",
    "customers": "/customer/new",
    "tags": "/tag/new",
}
"""Payload files by the endpoint they are sent to, in the order to send them."""


@dataclass(frozen=True)
class GatewayConfig:
    """A gateway's configuration, and what it cannot hold.

    Attributes
    ----------
    config : dict
        Content of ``config.yaml``.
    payloads : dict
        Name of a file in ``ENDPOINTS`` → its request bodies.
    notes : list of (str, str, str)
        What a reader must know: kind (``Enterprise``, ``not held``, ``differs``), what it is about, in words.
    """

    config: dict[str, Any]
    payloads: dict[str, list[dict[str, Any]]]
    notes: list[tuple[str, str, str]]

    @property
    def groups(self) -> list[str]:
        """Names of the model groups, in order."""
        return list(dict.fromkeys(entry["model_name"] for entry in self.config["model_list"]))


@cache
def gateway_names() -> dict[str, dict[str, Any]]:
    """Read what the gateway calls providers, prices and keys."""
    return yaml.safe_load((resources.files("finops_lib.operate.gateway") / "litellm.yaml").read_text(encoding="utf-8"))
