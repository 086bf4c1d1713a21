locals {
  pipelines = toset(["store_sales_etl", "reviews_etl"])

  airflow_alarms = var.enable_mwaa ? {
    scheduler_heartbeat = {
      description = "Airflow's scheduler has been silent for 15 minutes: no task starts."
      namespace   = "AmazonMWAA"
      metric      = "SchedulerHeartbeat"
      # Not var.name: during the environment's creation its silence would be an alarm.
      dimensions = { Function = "Scheduler", Environment = aws_mwaa_environment.this[0].name }
      statistic  = "Sum"
      comparison = "LessThanThreshold"
      threshold  = 1
      periods    = 3
      missing    = "breaching"
    }
    oldest_task = {
      description = "A task has been waiting for a worker for more than ${var.oldest_task_minutes} minutes: raise max_workers, or look for tasks that hang."
      namespace   = "AWS/MWAA"
      metric      = "ApproximateAgeOfOldestTask"
      dimensions  = { Environment = var.name }
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = var.oldest_task_minutes * 60
      periods     = 1
      missing     = "notBreaching"
    }
  } : {}

  failed_run_alarms = var.enable_mwaa ? {
    for pipeline in local.pipelines : "failed_run_${pipeline}" => {
      description = "A run of ${pipeline} has failed: the task's log in the web UI says why; mend it and clear the task."
      namespace   = "AmazonMWAA"
      metric      = "DAGDurationFailed"
      dimensions  = { DAG = pipeline, Environment = var.name }
      statistic   = "SampleCount"
      comparison  = "GreaterThanOrEqualToThreshold"
      threshold   = 1
      periods     = 1
      missing     = "notBreaching"
    }
  } : {}

  cluster_alarms = local.provisioned ? {
    redshift_health = {
      description = "The cluster has not been healthy for 15 minutes. A paused cluster reports nothing and is no alarm."
      namespace   = "AWS/Redshift"
      metric      = "HealthStatus"
      dimensions  = { ClusterIdentifier = var.name }
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = 1
      periods     = 3
      missing     = "notBreaching"
    }
    redshift_disk = {
      description = "The cluster's disks are more than 85 % full: queries that spill will fail; delete, or add nodes."
      namespace   = "AWS/Redshift"
      metric      = "PercentageDiskSpaceUsed"
      dimensions  = { ClusterIdentifier = var.name }
      statistic   = "Average"
      comparison  = "GreaterThanThreshold"
      threshold   = 85
      periods     = 3
      missing     = "notBreaching"
    }
  } : {}

  # Seconds of RPUs used in a day.
  workgroup_alarms = local.provisioned ? {} : {
    redshift_cost = {
      description = "The workgroup has used more than ${var.daily_rpu_hours} RPU hours, a day's allowance, within a day: look for a query that does not end."
      namespace   = "AWS/Redshift-Serverless"
      metric      = "ComputeSeconds"
      dimensions  = { Workgroup = var.name }
      statistic   = "Sum"
      comparison  = "GreaterThanThreshold"
      threshold   = var.daily_rpu_hours * 3600
      periods     = 1
      period      = 86400
      missing     = "notBreaching"
    }
  }

  alarms = merge(local.airflow_alarms, local.failed_run_alarms, local.cluster_alarms, local.workgroup_alarms)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = try(each.value.period, 300)
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alerts.arn]
  # Five minutes without another failed run have mended nothing.
  ok_actions = contains(keys(local.failed_run_alarms), each.key) ? [] : [aws_sns_topic.alerts.arn]
}

# A job run that was started by hand has nobody else to tell of it. Those of Airflow are told too: the event does not say
# who has started a run.
resource "aws_cloudwatch_event_rule" "job_failed" {
  name        = "${var.name}-job-failed"
  description = "The Glue job has failed or timed out"
  event_pattern = jsonencode({
    source        = ["aws.glue"]
    "detail-type" = ["Glue Job State Change"]
    detail = {
      jobName = [aws_glue_job.reviews_etl.name]
      state   = ["FAILED", "TIMEOUT"]
    }
  })
}

resource "aws_cloudwatch_event_target" "job_failed" {
  rule = aws_cloudwatch_event_rule.job_failed.name
  arn  = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths = {
      job     = "$.detail.jobName"
      run     = "$.detail.jobRunId"
      state   = "$.detail.state"
      message = "$.detail.message"
    }
    input_template = "\"Glue job <job>, run <run>, is <state>: <message>\""
  }
}

resource "aws_budgets_budget" "monthly" {
  name         = "${var.name}-monthly"
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = [
      { type = "ACTUAL", percent = 80 },
      { type = "ACTUAL", percent = 100 },
      { type = "FORECASTED", percent = 100 },
    ]

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.value.type
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = [var.alert_email]
    }
  }
}
