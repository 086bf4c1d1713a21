"""An operation that moto lacks is refused at once, in the service's own format.

moto raises NotImplementedError, which becomes a 500: AWS's SDKs try those again, Terraform for minutes.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from xml.sax.saxutils import escape

from moto.core.responses import BaseResponse

log = logging.getLogger(__name__)

CODE = "NotSupportedLocally"


def install() -> None:
    """Put it in place; a second time changes nothing."""
    moto_call_action = BaseResponse.call_action
    if getattr(moto_call_action, "supplemented", False):
        return

    def call_action(self: BaseResponse) -> Any:
        try:
            return moto_call_action(self)
        except NotImplementedError as error:
            message = f"{self.service_name} on this machine: {error}."
            log.warning("%s", message)
            return 400, {"status": "400", "x-amzn-ErrorType": CODE}, _body(self, message)

    call_action.supplemented = True  # type: ignore[attr-defined]  # a mark on a function
    BaseResponse.call_action = call_action  # type: ignore[method-assign]


def _body(response: BaseResponse, message: str) -> str:
    content_type = str(response.headers.get("Content-Type", ""))
    if "json" in content_type:
        return json.dumps({"__type": CODE, "message": message})
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{CODE}</Code><Message>{escape(message)}</Message></Error>"
        "<RequestId>local</RequestId></ErrorResponse>"
    )
