"""A rule from a group or a prefix list keeps its description; moto keeps that of address ranges only."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import security_groups


class SecurityGroupRule(security_groups.SecurityGroupRule):
    """moto's rule with a description wherever AWS has one."""

    def __init__(  # noqa: PLR0917  # moto's signature, which it calls by position
        self,
        ec2_backend: Any,
        ip_protocol: str,
        group_id: str,
        from_port: str | None,
        to_port: str | None,
        ip_range: dict[str, str] | None,
        source_group: dict[str, str] | None = None,
        prefix_list_id: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(
            ec2_backend,
            ip_protocol,
            group_id,
            from_port,
            to_port,
            ip_range,
            source_group,
            prefix_list_id,
            **more,
        )
        self._prefix_list = prefix_list_id or {}

    @property
    def description(self) -> str | None:
        """The description of the rule's one source."""
        sources = (self.ip_range, self.source_group, self._prefix_list)
        return next((source["Description"] for source in sources if source.get("Description")), None)


def install() -> None:
    """Put it in place; a second time changes nothing."""
    security_groups.SecurityGroupRule = SecurityGroupRule  # type: ignore[assignment, misc]  # that is how it is put in place
