# Airflow runs in two zones with a NAT gateway each, and Redshift moves to the other when AWS finds one lost; the Glue job
# waits for its zone, private subnet a's. make destroy refuses it. alert_email and first_refresh_date:
# TF_VAR_alert_email=you@example.com TF_VAR_first_refresh_date=2026-11-30
environment             = "prod"
redshift_mode           = "provisioned"
redshift_node_type      = "ra3.xlplus"
redshift_node_count     = 2
snapshot_retention_days = 14
egress                  = "nat_per_zone"
environment_class       = "mw1.small"
max_workers             = 5
webserver_access_mode   = "PRIVATE_ONLY"
schedule                = "0 6 * * *"
deletion_protection     = true
log_retention_days      = 365
monthly_budget_usd      = 2800
