module "logs_bucket" {
  source = "./modules/bucket"

  name                   = local.bucket_names.logs
  force_destroy          = !var.deletion_protection
  enable_lifecycle_rules = var.enable_lifecycle_rules
  expire_after_days      = var.log_retention_days

  further_statements = [{
    Sid       = "AccessLogsOfThisAccount"
    Effect    = "Allow"
    Principal = { Service = "logging.s3.amazonaws.com" }
    Action    = "s3:PutObject"
    Resource  = "arn:${local.partition}:s3:::${local.bucket_names.logs}/*"
    Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
  }]
}

# data: extracts below raw/, reports below reports/; scripts: what the Glue job runs; airflow: what Airflow runs.
module "bucket" {
  source   = "./modules/bucket"
  for_each = { for purpose, name in local.bucket_names : purpose => name if purpose != "logs" }

  name                   = each.value
  kms_key_arn            = aws_kms_key.this.arn
  log_bucket             = local.bucket_names.logs
  force_destroy          = !var.deletion_protection
  enable_lifecycle_rules = var.enable_lifecycle_rules

  # On the key too: one that is not empty stays when it is to be destroyed, and what is in it stays readable.
  depends_on = [module.logs_bucket, aws_kms_key.this]
}
