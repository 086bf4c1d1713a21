# The role that Airflow's components and tasks run as. Without an environment, whom the account's own IAM policies allow
# may assume it: an Airflow elsewhere.
resource "aws_iam_role" "airflow" {
  name        = "${var.name}-airflow"
  description = "Airflow runs statements and jobs, looks for extracts and publishes messages."
  assume_role_policy = var.enable_mwaa ? jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = local.airflow_arn }
      }
    }]
    }) : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
      Action    = "sts:AssumeRole"
    }]
  })
}

locals {
  airflow_arn = "arn:${local.partition}:airflow:${var.region}:${local.account_id}:environment/${var.name}"
  kms_users   = ["s3", "secretsmanager", "sns", "sqs"]
}

# What every MWAA environment needs, from AWS's user guide, on this environment's own resources.
resource "aws_iam_role_policy" "airflow_environment" {
  name = "environment"
  role = aws_iam_role.airflow.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Heartbeat"
        Effect   = "Allow"
        Action   = "airflow:PublishMetrics"
        Resource = local.airflow_arn
      },
      {
        Sid      = "ReadPackage"
        Effect   = "Allow"
        Action   = ["s3:GetObject*", "s3:GetBucket*", "s3:List*"]
        Resource = [module.bucket["airflow"].arn, "${module.bucket["airflow"].arn}/*"]
      },
      {
        Sid      = "NoResourceLevel"
        Effect   = "Allow"
        Action   = ["s3:GetAccountPublicAccessBlock", "cloudwatch:PutMetricData", "logs:DescribeLogGroups"]
        Resource = "*"
      },
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = [
          "logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents", "logs:GetLogEvents",
          "logs:GetLogRecord", "logs:GetLogGroupFields", "logs:GetQueryResults",
        ]
        Resource = "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:airflow-${var.name}-*"
      },
      {
        Sid    = "Celery"
        Effect = "Allow"
        Action = [
          "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
          "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage",
        ]
        Resource = "arn:${local.partition}:sqs:${var.region}:*:airflow-celery-*"
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"]
        Resource = aws_kms_key.this.arn
        Condition = {
          StringEquals = { "kms:ViaService" = [for service in local.kms_users : "${service}.${var.region}.amazonaws.com"] }
        }
      },
    ]
  })
}

# What the two pipelines call.
resource "aws_iam_role_policy" "airflow_pipelines" {
  name = "pipelines"
  role = aws_iam_role.airflow.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "RunStatements"
          Effect   = "Allow"
          Action   = ["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"]
          Resource = local.warehouse_arn
        },
        {
          Sid      = "FollowOwnStatements"
          Effect   = "Allow"
          Action   = [for call in ["DescribeStatement", "GetStatementResult", "CancelStatement", "ListStatements"] : "redshift-data:${call}"]
          Resource = "*"
          # A statement's owner is role:session. MWAA has one session name; an Airflow elsewhere may have one for each task
          # and another in the triggerer, so there, any session of this role may follow.
          Condition = {
            (var.enable_mwaa ? "StringEquals" : "StringLike") = {
              "redshift-data:statement-owner-iam-userid" = var.enable_mwaa ? "$${aws:userid}" : "${aws_iam_role.airflow.unique_id}:*"
            }
          }
        },
        {
          Sid      = "ReadLogin"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = local.secret_arn
        },
        {
          Sid    = "ReadConnectionsAndVariables"
          Effect = "Allow"
          Action = "secretsmanager:GetSecretValue"
          Resource = [
            for kind in ["connections", "variables"] :
            "arn:${local.partition}:secretsmanager:${var.region}:${local.account_id}:secret:airflow/${kind}/*"
          ]
        },
        {
          Sid      = "FindFiles"
          Effect   = "Allow"
          Action   = "s3:ListBucket"
          Resource = module.bucket["data"].arn
        },
        {
          Sid      = "ReadFiles"
          Effect   = "Allow"
          Action   = "s3:GetObject"
          Resource = "${module.bucket["data"].arn}/*"
        },
        {
          Sid      = "WriteManifestsSamplesAndRecords"
          Effect   = "Allow"
          Action   = "s3:PutObject"
          Resource = [for folder in ["audit", "quality", "reports"] : "${module.bucket["data"].arn}/${folder}/*"]
        },
        {
          Sid      = "RunJob"
          Effect   = "Allow"
          Action   = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
          Resource = aws_glue_job.reviews_etl.arn
        },
        {
          Sid    = "RegisterReviews"
          Effect = "Allow"
          Action = ["glue:GetTable", "glue:GetPartitions", "glue:BatchCreatePartition"]
          Resource = [
            for path in ["catalog", "database/amzreviews", "table/amzreviews/reviews"] :
            "arn:${local.partition}:glue:${var.region}:${local.account_id}:${path}"
          ]
        },
        {
          Sid      = "TellPeople"
          Effect   = "Allow"
          Action   = "sns:Publish"
          Resource = aws_sns_topic.alerts.arn
        },
      ],
      var.pause_cluster ? [{
        Sid      = "PauseAndResume"
        Effect   = "Allow"
        Action   = ["redshift:DescribeClusters", "redshift:PauseCluster", "redshift:ResumeCluster"]
        Resource = aws_redshift_cluster.this[0].arn
      }] : [],
      local.reviews_copy == null ? [] : [{
        # The folders become partitions; what is in them, only the warehouse reads.
        Sid      = "FindReviews"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = local.reviews_copy.bucket_arn
      }],
      var.enable_quicksight ? [{
        Sid      = "RefreshDataSet"
        Effect   = "Allow"
        Action   = ["quicksight:CreateIngestion", "quicksight:DescribeIngestion", "quicksight:CancelIngestion"]
        Resource = [aws_quicksight_data_set.top_reviews[0].arn, "${aws_quicksight_data_set.top_reviews[0].arn}/ingestion/*"]
      }] : [],
      var.enable_quicksight ? [{
        # This one knows no resource, says AWS's Service Authorization Reference: with an ARN it would grant nothing.
        Sid      = "FindIngestions"
        Effect   = "Allow"
        Action   = "quicksight:ListIngestions"
        Resource = "*"
      }] : []
    )
  })
}
