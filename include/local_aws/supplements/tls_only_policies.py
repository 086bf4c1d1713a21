"""A bucket policy that denies what comes without TLS must not deny everything.

moto knows the condition StringEquals and takes every other for met: `Deny ... Bool aws:SecureTransport false`
then denies every request. A Deny under a condition that moto cannot judge is passed over here.
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.policy_conditions import CONDITION_OPERATIONS


def install() -> None:
    """Put it in place; a second time changes nothing."""
    judge = IAMPolicyStatement.is_action_permitted
    if getattr(judge, "supplemented", False):
        return

    def is_action_permitted(self: IAMPolicyStatement, *args: Any, **kwargs: Any) -> PermissionResult:
        statement = self._statement
        if statement.get("Effect") == "Deny" and set(statement.get("Condition", {})) - set(
            CONDITION_OPERATIONS
        ):
            return PermissionResult.NEUTRAL
        return judge(self, *args, **kwargs)

    is_action_permitted.supplemented = True  # type: ignore[attr-defined]  # a mark on a function
    IAMPolicyStatement.is_action_permitted = is_action_permitted  # type: ignore[method-assign]
