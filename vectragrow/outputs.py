"""Outputs of /healthz and /readyz."""

from typing import Annotated, Literal

from msgspec import Meta

from core.api.outputs import Output


class AliveOutput(Output):
    status: Literal["alive"]


class PartOutput(Output):
    status: Literal["up", "down"]
    title: str
    detail: Annotated[str, Meta(description="In words for anybody.")]


class ReadinessOutput(Output):
    status: Annotated[
        Literal["ready", "degraded", "unavailable"],
        Meta(description="`degraded`: requests are served, and what is missing catches up later."),
    ]
    missing: Annotated[list[str], Meta(description="The parts that are not there.")]
    parts: dict[str, PartOutput]
