# Run once for each file of environments/, with -var-file.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alert_email        = "team@example.com"
  first_refresh_date = "2026-11-30"
  package_dir        = "./tests/package"
}

run "the_environment_can_be_planned" {
  command = plan

  assert {
    condition     = length(aws_mwaa_environment.this) == 1
    error_message = "There is no Airflow."
  }

  assert {
    condition = alltrue([
      for workgroup in aws_redshiftserverless_workgroup.this :
      aws_cloudwatch_metric_alarm.this["redshift_cost"].threshold < workgroup.max_capacity * aws_cloudwatch_metric_alarm.this["redshift_cost"].period
    ])
    error_message = "The alarm on the workgroup's cost can never go out."
  }

  assert {
    condition     = alltrue([for cluster in aws_redshift_cluster.this : cluster.availability_zone_relocation_enabled])
    error_message = "A cluster is lost with its zone."
  }

  assert {
    condition     = var.environment != "prod" || var.deletion_protection && length(aws_nat_gateway.this) == 2 && aws_mwaa_environment.this[0].webserver_access_mode == "PRIVATE_ONLY"
    error_message = "Production can be deleted, loses its way out with a zone, or shows its web UI to the internet."
  }
}
