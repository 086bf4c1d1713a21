locals {
  airflow_logs = ["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"]

  airflow_configuration_options = merge(
    { for key, value in local.airflow_settings : "redshift_etl.${key}" => value if value != null },
    {
      # Clearing a finished task must run it again.
      "state_store.clear_on_success" = "True"
      "secrets.backend"              = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
      # The pattern is MWAA's own and would be lost otherwise: aws_default is the environment's role.
      "secrets.backend_kwargs" = jsonencode({
        connections_prefix         = "airflow/connections"
        variables_prefix           = "airflow/variables"
        connections_lookup_pattern = "^(?!aws_default$).*$"
      })
    }
  )
}

# Created first, so that they have an end and a key; MWAA would create them with neither.
resource "aws_cloudwatch_log_group" "airflow" {
  for_each = var.enable_mwaa ? toset(local.airflow_logs) : toset([])

  name              = "airflow-${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_mwaa_environment" "this" {
  count = var.enable_mwaa ? 1 : 0

  name                  = var.name
  airflow_version       = var.airflow_version
  environment_class     = var.environment_class
  min_workers           = var.min_workers
  max_workers           = var.max_workers
  min_webservers        = var.environment_class == "mw1.micro" ? 1 : 2
  max_webservers        = var.environment_class == "mw1.micro" ? 1 : 2
  schedulers            = var.environment_class == "mw1.micro" ? 1 : 2
  webserver_access_mode = var.webserver_access_mode
  execution_role_arn    = aws_iam_role.airflow.arn
  kms_key               = aws_kms_key.this.arn

  weekly_maintenance_window_start = var.airflow_maintenance_window
  airflow_configuration_options   = local.airflow_configuration_options

  source_bucket_arn              = module.bucket["airflow"].arn
  dag_s3_path                    = "dags/"
  plugins_s3_path                = aws_s3_object.airflow["plugins.zip"].key
  plugins_s3_object_version      = aws_s3_object.airflow["plugins.zip"].version_id
  requirements_s3_path           = aws_s3_object.airflow["requirements.txt"].key
  requirements_s3_object_version = aws_s3_object.airflow["requirements.txt"].version_id

  network_configuration {
    security_group_ids = [aws_security_group.airflow.id]
    subnet_ids         = [aws_subnet.private["private_a"].id, aws_subnet.private["private_b"].id]
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "INFO"
    }

    scheduler_logs {
      enabled   = true
      log_level = "INFO"
    }

    task_logs {
      enabled   = true
      log_level = "INFO"
    }

    webserver_logs {
      enabled   = true
      log_level = "WARNING"
    }

    worker_logs {
      enabled   = true
      log_level = "WARNING"
    }
  }

  timeouts {
    create = "90m"
    update = "90m"
    delete = "60m"
  }

  # Creation fails without a way out, without rights and without the groups; deletion needs them as well.
  depends_on = [
    aws_route.nat,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
    aws_vpc_security_group_ingress_rule.airflow_self,
    aws_vpc_security_group_egress_rule.airflow_self,
    aws_vpc_security_group_egress_rule.airflow_https,
    aws_iam_role_policy.airflow_environment,
    aws_iam_role_policy.airflow_pipelines,
    aws_cloudwatch_log_group.airflow,
    module.bucket,
  ]
}
