"""Alerts: what a person is told, and how it reaches them."""
