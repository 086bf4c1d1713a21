# Bad input is refused when planning. A run names one bad value for each variable, to save starting the provider
# for each of them.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alert_email = "team@example.com"
  package_dir = "./tests/package"
}

run "what_is_missing_unknown_or_misspelt_is_refused" {
  command = plan

  variables {
    name                       = "Redshift"
    environment                = "Dev!"
    region                     = "Virginia"
    account_id                 = "1234"
    alert_email                = null
    log_retention_days         = 42
    monthly_budget_usd         = 0
    bucket_suffix              = ".acme"
    vpc_cidr                   = "ten"
    egress                     = "vpn"
    redshift_mode              = "spot"
    database                   = "my db"
    admin_user                 = "user"
    redshift_node_count        = 1.5
    redshift_port              = 5400
    snapshot_retention_days    = 36
    maintenance_window         = "sunday"
    base_capacity_rpus         = 12
    daily_rpu_hours            = 0
    extract_buckets            = ["s3://reviews"]
    reviews_location           = "s3://reviews/parquet"
    airflow_version            = "3.1.0"
    environment_class          = "mw2.small"
    min_workers                = 0
    webserver_access_mode      = "PUBLIC"
    airflow_maintenance_window = "SUN:10:15"
    timezone                   = "EST5"
    schedule                   = "0 6 * *"
    oldest_task_minutes        = 1
    enable_quicksight          = true
  }

  expect_failures = [
    var.name,
    var.environment,
    var.region,
    var.account_id,
    var.alert_email,
    var.log_retention_days,
    var.monthly_budget_usd,
    var.bucket_suffix,
    var.vpc_cidr,
    var.egress,
    var.redshift_mode,
    var.database,
    var.admin_user,
    var.redshift_node_count,
    var.redshift_port,
    var.snapshot_retention_days,
    var.maintenance_window,
    var.base_capacity_rpus,
    var.daily_rpu_hours,
    var.extract_buckets,
    var.reviews_location,
    var.airflow_version,
    var.environment_class,
    var.min_workers,
    var.webserver_access_mode,
    var.airflow_maintenance_window,
    var.timezone,
    var.schedule,
    var.oldest_task_minutes,
    var.quicksight_principal_arn,
  ]
}

run "values_that_contradict_one_another_are_refused" {
  command = plan

  variables {
    # Half of private_a.
    subnets = {
      private_b = "10.71.16.0/21"
    }
    alert_email         = "team at example.com"
    name                = "a-name-that-is-far-too-long-for-buckets"
    redshift_node_type  = "ra3.4xlarge"
    redshift_node_count = 1
    max_capacity_rpus   = 4
    environment_class   = "mw1.micro"
    max_workers         = 2
  }

  expect_failures = [
    var.subnets,
    var.alert_email,
    var.name,
    var.redshift_node_count,
    var.max_capacity_rpus,
    var.max_workers,
  ]
}

run "a_subnet_outside_the_vpc_too_few_workers_and_old_nodes_are_refused" {
  command = plan

  variables {
    subnets = {
      public_a = "10.72.0.0/20"
    }
    min_workers        = 3
    max_workers        = 2
    redshift_node_type = "dc2.large"
  }

  expect_failures = [var.subnets, var.max_workers, var.redshift_node_type]
}

run "a_workgroup_that_is_to_be_paused_and_quicksight_out_of_reach_are_refused" {
  command = plan

  variables {
    redshift_mode            = "serverless"
    pause_cluster            = true
    egress                   = "interface_endpoints"
    enable_quicksight        = true
    quicksight_principal_arn = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
  }

  expect_failures = [var.pause_cluster, var.enable_quicksight]
}

run "an_alarm_that_could_never_go_out_is_refused" {
  command = plan

  variables {
    redshift_mode     = "serverless"
    max_capacity_rpus = 16
    daily_rpu_hours   = 384
  }

  expect_failures = [var.daily_rpu_hours]
}

run "a_subnet_larger_than_the_vpc_is_refused" {
  command = plan

  variables {
    subnets = {
      public_a = "10.64.0.0/12"
    }
  }

  expect_failures = [var.subnets]
}

run "a_subnet_that_is_no_network_is_refused" {
  command = plan

  variables {
    subnets = {
      public_a = "10.71.0.1/20"
    }
  }

  expect_failures = [var.subnets]
}

run "a_vpc_larger_than_aws_takes_is_refused" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/8"
  }

  expect_failures = [var.vpc_cidr]
}

run "a_package_that_was_not_built_is_refused" {
  command = plan

  variables {
    package_dir = "./tests/nothing"
  }

  expect_failures = [aws_s3_object.airflow, aws_s3_object.glue_wheel]
}
