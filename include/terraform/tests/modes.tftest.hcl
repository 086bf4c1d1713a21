mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alert_email        = "team@example.com"
  first_refresh_date = "2026-11-30"
  package_dir        = "./tests/package"
}

run "provisioned_is_a_cluster_and_no_workgroup" {
  command = plan

  assert {
    condition     = length(aws_redshift_cluster.this) == 1 && length(aws_redshiftserverless_workgroup.this) == 0 && length(aws_redshiftserverless_namespace.this) == 0
    error_message = "The mode provisioned makes the wrong warehouse."
  }

  assert {
    condition     = output.airflow_settings.cluster_identifier == "redshift-etl" && output.airflow_settings.workgroup_name == null
    error_message = "Airflow would look for the wrong warehouse."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.airflow_pipelines.policy, "arn:aws:redshift:us-east-1:123456789012:cluster:redshift-etl")
    error_message = "Airflow may not run statements on the cluster."
  }
}

run "serverless_is_a_workgroup_and_no_cluster" {
  command = plan

  variables {
    redshift_mode = "serverless"
  }

  assert {
    condition     = length(aws_redshift_cluster.this) == 0 && length(aws_redshiftserverless_workgroup.this) == 1 && length(aws_redshift_logging.this) == 0
    error_message = "The mode serverless makes the wrong warehouse."
  }

  assert {
    condition     = output.airflow_settings.workgroup_name == "redshift-etl" && output.airflow_settings.cluster_identifier == null
    error_message = "Airflow would look for the wrong warehouse."
  }

  assert {
    # What a laptop sets must be unset, or the containers would ask for two warehouses at once.
    condition = alltrue([
      for line in ["AIRFLOW__REDSHIFT_ETL__WORKGROUP_NAME=redshift-etl", "AIRFLOW__REDSHIFT_ETL__CLUSTER_IDENTIFIER=", "AWS_DEFAULT_REGION=us-east-1"] :
      contains(split("\n", output.env_file), line)
    ])
    error_message = "The env file of the containers is wrong: ${output.env_file}"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.airflow_pipelines.policy, ":workgroup/")
    error_message = "Airflow may not run statements on the workgroup."
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.this), "redshift_cost") && !contains(keys(aws_cloudwatch_metric_alarm.this), "redshift_health")
    error_message = "The alarms do not fit the mode."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["redshift_cost"].threshold == var.daily_rpu_hours * 3600
    error_message = "The alarm's allowance is not the variable's."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["redshift_cost"].threshold <
      aws_redshiftserverless_workgroup.this[0].max_capacity * aws_cloudwatch_metric_alarm.this["redshift_cost"].period
    )
    error_message = "All the capacity for the alarm's whole period would not reach its threshold."
  }
}

run "a_single_node_is_a_single_node" {
  command = plan

  variables {
    redshift_node_count = 1
  }

  assert {
    condition     = aws_redshift_cluster.this[0].cluster_type == "single-node"
    error_message = "One node is no multi-node cluster."
  }
}

run "airflow_gets_every_setting_and_every_object_version" {
  command = plan

  assert {
    condition = alltrue([
      for key, value in output.airflow_settings :
      try(aws_mwaa_environment.this[0].airflow_configuration_options["redshift_etl.${key}"], null) == value
    ])
    error_message = "The environment's options are not the settings."
  }

  assert {
    condition     = !contains([for value in values(aws_mwaa_environment.this[0].airflow_configuration_options) : value == ""], true)
    error_message = "MWAA refuses an empty value."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].plugins_s3_object_version != null && aws_mwaa_environment.this[0].requirements_s3_object_version != null
    error_message = "Without its version a new object is silently not used."
  }

  assert {
    condition     = aws_mwaa_environment.this[0].airflow_version == "3.3.1"
    error_message = "The DAGs are made for Airflow 3.3.1."
  }

  assert {
    condition = toset([for group in aws_cloudwatch_log_group.airflow : group.name]) == toset([
      for component in ["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"] : "airflow-redshift-etl-${component}"
    ])
    error_message = "MWAA would make its own log groups, which never expire."
  }
}

run "without_mwaa_nothing_of_it_remains" {
  command = plan

  variables {
    enable_mwaa = false
    package_dir = "./tests/package"
  }

  assert {
    condition     = length(aws_mwaa_environment.this) == 0 && length(aws_cloudwatch_log_group.airflow) == 0 && length(aws_s3_object.airflow) == 0
    error_message = "Something of the environment is left."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["redshift_disk", "redshift_health"]
    error_message = "Alarms watch an environment that does not exist."
  }

  assert {
    condition     = jsondecode(aws_iam_role.airflow.assume_role_policy).Statement[0].Principal == { AWS = "arn:aws:iam::123456789012:root" }
    error_message = "An Airflow elsewhere could not assume the role."
  }

  # Its tasks and its triggerer need not have the same session name.
  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.airflow_pipelines.policy).Statement : statement.Condition if statement.Sid == "FollowOwnStatements"
    ]) == { StringLike = { "redshift-data:statement-owner-iam-userid" = "AROAMOCKMOCKMOCKMOCK:*" } }
    error_message = "An Airflow elsewhere could not follow a statement that another session of its role has started, or could follow others'."
  }

  assert {
    condition     = output.mwaa_environment_name == null && output.mwaa_webserver_url == null
    error_message = "The outputs name an environment that does not exist."
  }
}

run "the_smallest_environment_has_one_of_everything" {
  command = plan

  variables {
    environment_class = "mw1.micro"
    max_workers       = 1
  }

  assert {
    condition     = aws_mwaa_environment.this[0].schedulers == 1 && aws_mwaa_environment.this[0].max_webservers == 1
    error_message = "An mw1.micro environment has one scheduler and one web server."
  }
}

run "quicksight_is_off_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_quicksight_data_set.top_reviews) == 0 && length(aws_iam_role.quicksight) == 0
    error_message = "QuickSight costs money for each user."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.airflow_pipelines.policy, "quicksight:")
    error_message = "Airflow has rights that it does not need."
  }
}

run "quicksight_reads_the_report_with_its_header" {
  command = plan

  variables {
    enable_quicksight        = true
    quicksight_principal_arn = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
  }

  assert {
    condition = [
      for column in tolist(tolist(aws_quicksight_data_set.top_reviews[0].physical_table_map)[0].s3_source)[0].input_columns : column.name
    ] == ["marketplace", "product_category", "product_title", "review_id", "helpful_votes", "average_stars"]
    error_message = "The data set does not have the report's six columns."
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.airflow_pipelines.policy, "quicksight:CreateIngestion")
    error_message = "Airflow may not refresh the data set."
  }

  # Nothing has run yet, and QuickSight refuses a data source without a manifest.
  assert {
    condition = jsondecode(aws_s3_object.top_reviews_manifest[0].content).fileLocations == [
      { URIPrefixes = ["s3://redshift-etl-data-123456789012-us-east-1/reports/top_reviews/data/"] }
    ]
    error_message = "The first manifest does not lead to the report."
  }
}

run "slow_switches_can_be_off" {
  command = plan

  variables {
    enable_lifecycle_rules   = false
    enable_snapshot_schedule = false
  }

  assert {
    condition     = length(aws_redshift_snapshot_schedule.this) == 0 && length(aws_redshift_snapshot_schedule_association.this) == 0
    error_message = "The snapshot schedule is still there."
  }
}

run "names_are_the_laptops_where_they_can_be" {
  command = plan

  variables {
    bucket_suffix = ""
  }

  assert {
    condition     = output.bucket_names.data == "redshift-etl-data" && output.airflow_settings.data_bucket == "redshift-etl-data"
    error_message = "An empty suffix does not give the laptop's bucket."
  }

  assert {
    condition     = aws_iam_role.warehouse.name == "redshift-etl-warehouse" && output.glue_job_name == "reviews-etl"
    error_message = "The role or the job is not called as on a laptop."
  }

  assert {
    condition     = toset(output.catalog_database_names) == toset(["tpcds_lake", "amzreviews"])
    error_message = "The catalog's databases are not the ones in the SQL."
  }
}

run "buckets_are_nobody_elses_by_default" {
  command = plan

  assert {
    condition     = output.bucket_names.scripts == "redshift-etl-scripts-123456789012-us-east-1"
    error_message = "The bucket is called ${output.bucket_names.scripts}."
  }
}

run "the_reviews_lie_in_the_stacks_own_bucket_unless_said_otherwise" {
  command = plan

  assert {
    condition     = output.airflow_settings.reviews_location == "s3://redshift-etl-data-123456789012-us-east-1/raw/reviews/"
    error_message = "Airflow looks for the reviews in ${output.airflow_settings.reviews_location}."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.warehouse.policy, "FindReviews") && !strcontains(aws_iam_role_policy.airflow_pipelines.policy, "FindReviews")
    error_message = "A role has rights that it does not need."
  }
}

run "a_copy_of_the_reviews_is_used_by_naming_its_location" {
  command = plan

  variables {
    reviews_location = "s3://my-copy/parquet/"
  }

  assert {
    condition     = aws_mwaa_environment.this[0].airflow_configuration_options["redshift_etl.reviews_location"] == "s3://my-copy/parquet/"
    error_message = "Airflow looks elsewhere for the reviews."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.warehouse.policy).Statement : statement.Sid => statement.Resource if endswith(statement.Sid, "Reviews")
      } == {
      FindReviews = "arn:aws:s3:::my-copy"
      ReadReviews = "arn:aws:s3:::my-copy/parquet/*"
    }
    error_message = "Redshift may not read the copy, or more than that."
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.airflow_pipelines.policy).Statement : statement if statement.Sid == "FindReviews"
    ]) == { Sid = "FindReviews", Effect = "Allow", Action = "s3:ListBucket", Resource = "arn:aws:s3:::my-copy" }
    error_message = "Airflow may not find the copy's categories, or more than that."
  }
}
