data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  # checkov:skip=CKV_AWS_394:Only the first three names are used, in the order of the alphabet; a new zone comes after them.
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  account_id  = data.aws_caller_identity.current.account_id
  partition   = data.aws_partition.current.partition
  provisioned = var.redshift_mode == "provisioned"
  project_dir = coalesce(var.project_dir, "${path.module}/../..")
  package_dir = coalesce(var.package_dir, "${local.project_dir}/dist")

  bucket_suffix = var.bucket_suffix == null ? "-${local.account_id}-${var.region}" : var.bucket_suffix
  bucket_names = {
    for purpose in ["data", "scripts", "airflow", "logs"] : purpose => "${var.name}-${purpose}${local.bucket_suffix}"
  }

  # One catalog for each region of an account: the names stand in the SQL and are the same everywhere.
  catalog_databases = {
    tpcds_lake = "Extracts of the store sales system, as Redshift Spectrum sees them"
    amzreviews = "Product reviews by category, as Redshift Spectrum sees them"
  }

  tags = merge({
    Project     = "redshift-etl"
    Stack       = var.name
    Environment = var.environment
    ManagedBy   = "terraform"
  }, var.tags)

  warehouse_arn = local.provisioned ? (
    "arn:${local.partition}:redshift:${var.region}:${local.account_id}:cluster:${var.name}"
  ) : one(aws_redshiftserverless_workgroup.this[*].arn)
  warehouse_host = local.provisioned ? one(aws_redshift_cluster.this[*].dns_name) : one(aws_redshiftserverless_workgroup.this[*].endpoint[0].address)
  secret_arn = local.provisioned ? (
    one(aws_redshift_cluster.this[*].master_password_secret_arn)
  ) : one(aws_redshiftserverless_namespace.this[*].admin_password_secret_arn)

  # Null where they lie in the stack's own bucket, which every role knows already.
  reviews_copy = var.reviews_location == null ? null : {
    bucket_arn = "arn:${local.partition}:s3:::${split("/", var.reviews_location)[2]}"
    files_arn  = "arn:${local.partition}:s3:::${trimprefix(var.reviews_location, "s3://")}*"
  }

  # The keys of plugins/redshift_etl/settings.py, no more and no fewer; null is "not set".
  airflow_settings = {
    database               = var.database
    cluster_identifier     = local.provisioned ? var.name : null
    workgroup_name         = local.provisioned ? null : var.name
    db_user                = null
    secret_arn             = local.secret_arn
    iam_role_arn           = aws_iam_role.warehouse.arn
    data_bucket            = module.bucket["data"].name
    glue_job_name          = aws_glue_job.reviews_etl.name
    reviews_location       = coalesce(var.reviews_location, "s3://${module.bucket["data"].name}/raw/reviews/")
    quicksight_data_set_id = one(aws_quicksight_data_set.top_reviews[*].data_set_id)
    sql_dir                = "/usr/local/airflow/dags/sql"
    sns_topic_arn          = aws_sns_topic.alerts.arn
    timezone               = var.timezone
    schedule               = var.schedule
    first_refresh_date     = var.first_refresh_date
    deadline               = var.deadline
    pause_cluster          = var.pause_cluster ? "true" : null
  }
}
