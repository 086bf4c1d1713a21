mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alert_email        = "team@example.com"
  first_refresh_date = "2026-11-30"
  package_dir        = "./tests/package"
}

run "the_cluster_is_closed_encrypted_and_logged" {
  command = plan

  assert {
    condition     = aws_redshift_cluster.this[0].encrypted && !aws_redshift_cluster.this[0].publicly_accessible && aws_redshift_cluster.this[0].enhanced_vpc_routing
    error_message = "The cluster is not encrypted, is public, or sends its data through the internet."
  }

  assert {
    condition = { for parameter in aws_redshift_parameter_group.this[0].parameter : parameter.name => parameter.value } == {
      require_ssl                  = "true"
      enable_user_activity_logging = "true"
    }
    error_message = "The cluster takes connections without TLS or does not log statements."
  }

  assert {
    condition     = aws_redshift_cluster.this[0].manage_master_password && aws_redshift_cluster.this[0].master_password == null
    error_message = "Redshift does not keep its password itself."
  }

  assert {
    condition     = toset(aws_redshift_logging.this[0].log_exports) == toset(["connectionlog", "useractivitylog", "userlog"])
    error_message = "An audit log is missing."
  }

  assert {
    condition     = !aws_redshift_cluster.this[0].skip_final_snapshot && aws_redshift_cluster.this[0].final_snapshot_identifier == "redshift-etl-final"
    error_message = "destroy would lose the data."
  }
}

run "the_workgroup_is_closed_and_encrypted" {
  command = plan

  variables {
    redshift_mode = "serverless"
  }

  assert {
    condition     = !aws_redshiftserverless_workgroup.this[0].publicly_accessible && aws_redshiftserverless_workgroup.this[0].enhanced_vpc_routing
    error_message = "The workgroup is public or sends its data through the internet."
  }

  assert {
    condition     = { for parameter in aws_redshiftserverless_workgroup.this[0].config_parameter : parameter.parameter_key => parameter.parameter_value }["require_ssl"] == "true"
    error_message = "The workgroup takes connections without TLS."
  }

  assert {
    condition     = aws_redshiftserverless_namespace.this[0].manage_admin_password && aws_redshiftserverless_namespace.this[0].kms_key_id == aws_kms_key.this.arn
    error_message = "The namespace does not keep its password itself or is not encrypted with the stack's key."
  }
}

run "roles_trust_only_the_services_they_are_for" {
  command = plan

  assert {
    condition = { for name, role in {
      airflow   = aws_iam_role.airflow
      glue      = aws_iam_role.glue
      warehouse = aws_iam_role.warehouse
      } : name => flatten([jsondecode(role.assume_role_policy).Statement[0].Principal.Service]) } == {
      airflow   = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
      glue      = ["glue.amazonaws.com"]
      warehouse = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]
    }
    error_message = "A role can be assumed by a service it is not for."
  }

  assert {
    condition     = jsondecode(aws_iam_role.airflow.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "An environment of another account could use the role."
  }
}

run "rights_name_their_resources" {
  command = plan

  variables {
    enable_quicksight        = true
    quicksight_principal_arn = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
  }

  # The few without a resource level are the only ones on "*".
  assert {
    condition = toset(flatten([
      for policy in [aws_iam_role_policy.airflow_environment, aws_iam_role_policy.airflow_pipelines, aws_iam_role_policy.glue, aws_iam_role_policy.warehouse] : [
        for statement in jsondecode(policy.policy).Statement : statement.Sid if flatten([statement.Resource]) == ["*"]
      ]
    ])) == toset(["NoResourceLevel", "FollowOwnStatements", "FindIngestions", "LookAtNetwork"])
    error_message = "A statement that could name its resources does not."
  }

  assert {
    condition = length([
      for policy in [aws_iam_role_policy.airflow_environment, aws_iam_role_policy.airflow_pipelines, aws_iam_role_policy.glue, aws_iam_role_policy.warehouse] : policy
      if anytrue([for statement in jsondecode(policy.policy).Statement : anytrue([for action in flatten([statement.Action]) : endswith(action, ":*")])])
    ]) == 0
    error_message = "A role may do anything in a service."
  }

  assert {
    condition = one([
      for statement in jsondecode(aws_iam_role_policy.airflow_pipelines.policy).Statement : statement.Condition.StringEquals["redshift-data:statement-owner-iam-userid"]
      if statement.Sid == "FollowOwnStatements"
    ]) == "$${aws:userid}"
    error_message = "Airflow may read and cancel other people's statements."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.warehouse.policy).Statement : statement.Action if statement.Sid == "WriteReports"
    ])) == toset(["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"])
    error_message = "UNLOAD with CLEANPATH needs these three, and no more."
  }

  # Redshift asks for the catalog, the database and the table.
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.warehouse.policy).Statement : toset(statement.Resource)
      if contains(flatten([statement.Action]), "glue:DeleteTable")
      ] == [toset([
        for path in ["catalog", "database/amzreviews", "table/amzreviews/*", "database/tpcds_lake", "table/tpcds_lake/*"] :
        "arn:aws:glue:us-east-1:123456789012:${path}"
    ])]
    error_message = "An external table cannot be dropped, as the runbook asks when its files are to lie elsewhere."
  }
}

run "the_key_serves_logs_and_alarms" {
  command = plan

  assert {
    condition = toset([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Sid]) == toset([
      "AccountDecidesByIam", "LogsOfThisAccount", "AlarmsToEncryptedTopic", "EventsToEncryptedTopic",
    ])
    error_message = "MWAA cannot be created without logs in the key's policy, and alarms do not reach an encrypted topic."
  }

  # With aws:SourceAccount or aws:SourceArn, EventBridge's messages are lost on their way to an encrypted topic.
  assert {
    condition = {
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Sid => [statement.Principal.Service, statement.Condition]
      if endswith(statement.Sid, "ToEncryptedTopic")
      } == {
      AlarmsToEncryptedTopic = ["cloudwatch.amazonaws.com", { StringEquals = { "aws:SourceAccount" = "123456789012" } }]
      EventsToEncryptedTopic = [
        "events.amazonaws.com",
        { StringEquals = { "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:us-east-1:123456789012:${aws_sns_topic.alerts.name}" } },
      ]
    }
    error_message = "The key does not serve alarms of this account, and events on their way to the topic."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_sns_topic_policy.alerts.policy).Statement : statement.Principal.Service => try(statement.Condition, null)
      } == {
      "cloudwatch.amazonaws.com" = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      "events.amazonaws.com"     = null
    }
    error_message = "The topic refuses alarms of this account, or events, or takes other accounts' alarms."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_mwaa_environment.this[0].kms_key == aws_kms_key.this.arn
    error_message = "The key is not rotated, or the environment has another than its bucket."
  }
}

run "the_job_is_what_the_pipeline_expects" {
  command = plan

  assert {
    condition     = aws_glue_job.reviews_etl.command[0].name == "pythonshell" && aws_glue_job.reviews_etl.command[0].python_version == "3.9"
    error_message = "The job is no Python 3.9 shell."
  }

  assert {
    condition     = aws_glue_job.reviews_etl.max_retries == 0 && aws_glue_job.reviews_etl.timeout == 60 && aws_glue_job.reviews_etl.execution_property[0].max_concurrent_runs == 2
    error_message = "Retries are Airflow's business, and runs must end and may overlap."
  }

  assert {
    condition     = length(setsubtract(["--bucket", "--db", "--db_creds", "--extra-py-files"], keys(aws_glue_job.reviews_etl.default_arguments))) == 0
    error_message = "The script misses an argument."
  }

  assert {
    condition     = aws_glue_connection.warehouse.physical_connection_requirements[0].availability_zone == aws_subnet.private["private_a"].availability_zone
    error_message = "The connection's zone is not its subnet's."
  }
}

run "somebody_hears_of_it" {
  command = plan

  assert {
    condition     = aws_sns_topic_subscription.mail.protocol == "email" && aws_sns_topic_subscription.mail.endpoint == "team@example.com"
    error_message = "Nobody is subscribed."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : contains(alarm.alarm_actions, aws_sns_topic.alerts.arn)])
    error_message = "An alarm goes nowhere."
  }

  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if length(alarm.ok_actions) == 0] == ["failed_run_reviews_etl", "failed_run_store_sales_etl"]
    error_message = "A failed run is said to be well again, or another alarm's end is not told."
  }

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "scheduler_heartbeat", "oldest_task", "failed_run_store_sales_etl", "failed_run_reviews_etl", "redshift_health", "redshift_disk",
    ])
    error_message = "An alarm is missing."
  }

  assert {
    condition     = length(aws_budgets_budget.monthly.notification) == 3
    error_message = "The budget warns of nothing."
  }
}

run "protection_can_be_given_up" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = aws_redshift_cluster.this[0].skip_final_snapshot
    error_message = "A trial stack would leave a snapshot behind."
  }
}
