"""Triggers: they run in the triggerer, which sees `plugins/` and not `dags/`."""
