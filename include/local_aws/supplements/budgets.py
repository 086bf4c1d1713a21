"""AWS Budgets: tags, and who is told, which Terraform asks for and moto does not answer."""

from __future__ import annotations

import json

from moto.budgets import responses, urls


class BudgetsResponse(responses.BudgetsResponse):
    """moto's Budgets with three more operations."""

    def list_tags_for_resource(self) -> str:
        """Tags as they were given with CreateBudget."""
        return json.dumps({"ResourceTags": self._tags().get(self._get_param("ResourceARN"), [])})

    def create_budget(self) -> str:
        """Keeps the tags as well."""
        answer = super().create_budget()
        account, name = self._get_param("AccountId"), self._get_param("Budget")["BudgetName"]
        arn = f"arn:{self.partition}:budgets::{account}:budget/{name}"
        self._tags()[arn] = self._get_param("ResourceTags", [])
        return answer

    def describe_subscribers_for_notification(self) -> str:
        """Who is told."""
        wanted = self._get_param("Notification")
        budgets = self.backend.budgets[self._get_param("AccountId")]
        for notification in budgets[self._get_param("BudgetName")].notifications:
            if all(
                notification.details.get(key) == value
                for key, value in wanted.items()
                if key != "NotificationState"
            ):
                return json.dumps({"Subscribers": notification.subscribers})
        return json.dumps({"Subscribers": []})

    def _tags(self) -> dict[str, list[dict[str, str]]]:
        tags: dict[str, list[dict[str, str]]] = self.backend.__dict__.setdefault("supplemented_tags", {})
        return tags


def install() -> None:
    """Put it in place; a second time changes nothing."""
    urls.url_paths["{0}/$"] = BudgetsResponse.dispatch
