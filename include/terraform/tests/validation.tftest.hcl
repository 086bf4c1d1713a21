# Bad input is refused when planning. A run names one bad value for each of many variables, to save starting the provider
# for each of them; a variable that is held against another is judged only where the other is good.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alert_email        = "team@example.com"
  first_refresh_date = "2026-11-30"
  package_dir        = "./tests/package"
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
    reviews_location           = "s3://reviews/parquet"
    airflow_version            = "3.1.0"
    environment_class          = "mw2.small"
    min_workers                = 0
    airflow_maintenance_window = "SUN:10:15"
    timezone                   = "EST5"
    schedule                   = "0 6 * *"
    deadline                   = "9:00"
    oldest_task_minutes        = 1
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
    var.reviews_location,
    var.airflow_version,
    var.environment_class,
    var.min_workers,
    var.airflow_maintenance_window,
    var.timezone,
    var.schedule,
    var.deadline,
    var.oldest_task_minutes,
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
    # From everywhere, and from the VPN.
    webserver_access_mode = "PUBLIC_ONLY"
    webserver_clients     = ["10.8.0.0/16"]
  }

  expect_failures = [
    var.subnets,
    var.alert_email,
    var.name,
    var.redshift_node_count,
    var.max_capacity_rpus,
    var.max_workers,
    var.webserver_clients,
  ]
}

run "a_subnet_outside_the_vpc_too_few_workers_old_nodes_and_nobodys_data_set_are_refused" {
  command = plan

  variables {
    subnets = {
      public_a = "10.72.0.0/20"
    }
    min_workers        = 3
    max_workers        = 2
    redshift_node_type = "dc2.large"
    daily_rpu_hours    = 0
    enable_quicksight  = true
  }

  expect_failures = [var.subnets, var.max_workers, var.redshift_node_type, var.daily_rpu_hours, var.quicksight_principal_arn]
}

run "times_that_do_not_exist_and_parts_of_things_are_refused" {
  command = plan

  variables {
    log_retention_days      = 1095
    maintenance_window      = "sun:24:00-sun:25:00"
    max_capacity_rpus       = 20
    snapshot_retention_days = 1.5
    min_workers             = 1.5
    availability_zones      = ["us-east-1a", "eu-west-1b"]
    webserver_access_mode   = "PUBLIC"
    schedule                = "0 25 * * *"
    deadline                = "24:00"
  }

  expect_failures = [
    var.log_retention_days,
    var.maintenance_window,
    var.max_capacity_rpus,
    var.snapshot_retention_days,
    var.min_workers,
    var.availability_zones,
    var.webserver_access_mode,
    var.schedule,
    var.deadline,
  ]
}

run "words_are_no_schedule_and_half_a_worker_is_none" {
  command = plan

  variables {
    schedule    = "every day at six o'clock"
    max_workers = 2.5
    # A machine's address with a network's length.
    webserver_clients  = ["10.8.0.1/16"]
    availability_zones = ["us-east-1a", "us-east-1b", "us-east-1a"]
  }

  expect_failures = [var.schedule, var.max_workers, var.webserver_clients, var.availability_zones]
}

run "a_schedule_that_leaves_days_out_is_refused" {
  command = plan

  variables {
    schedule = "0 6 * * 1-5"
  }

  expect_failures = [var.schedule]
}

run "a_schedule_without_a_first_day_is_refused" {
  command = plan

  variables {
    first_refresh_date = null
  }

  expect_failures = [var.schedule]
}

run "a_day_that_does_not_exist_is_refused" {
  command = plan

  variables {
    first_refresh_date = "2026-11-31"
  }

  expect_failures = [var.first_refresh_date]
}

run "what_aws_and_airflow_take_is_taken" {
  command = plan

  variables {
    log_retention_days = 1096
    maintenance_window = "sat:23:30-sun:00:00"
    max_capacity_rpus  = 40
    schedule           = "05 23 * * *"
    deadline           = null
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow_logs.retention_in_days == 1096 && output.airflow_settings.schedule == var.schedule
    error_message = "A good value was changed."
  }
}

run "a_workgroup_that_is_to_be_paused_and_a_web_ui_and_quicksight_out_of_reach_are_refused" {
  command = plan

  variables {
    redshift_mode            = "serverless"
    pause_cluster            = true
    egress                   = "interface_endpoints"
    webserver_access_mode    = "PUBLIC_ONLY"
    enable_quicksight        = true
    quicksight_principal_arn = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
  }

  expect_failures = [var.pause_cluster, var.webserver_access_mode, var.enable_quicksight]
}

run "an_alarm_that_could_never_go_out_and_a_workgroup_in_two_zones_are_refused" {
  command = plan

  variables {
    redshift_mode      = "serverless"
    max_capacity_rpus  = 16
    daily_rpu_hours    = 384
    availability_zones = ["us-east-1a", "us-east-1b"]
  }

  expect_failures = [var.daily_rpu_hours, var.availability_zones]
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
