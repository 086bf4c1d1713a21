# What, where

variable "name" {
  description = "Name of the stack and prefix of everything in it; the Redshift cluster or workgroup is called exactly so."
  type        = string
  default     = "redshift-etl"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9]){2,23}$", var.name))
    error_message = "name is \"${var.name}\": use 3 to 24 lower-case letters, digits and single hyphens, starting with a letter."
  }
}

variable "environment" {
  description = "Value of the tag Environment, for example dev or prod."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.environment))
    error_message = "environment is \"${var.environment}\": use 2 to 16 lower-case letters, digits and hyphens, such as dev or prod."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-gov)?-[a-z]+-[0-9]$", var.region))
    error_message = "region is \"${var.region}\": use a region's code such as us-east-1."
  }
}

variable "account_id" {
  description = "The one AWS account that may be changed; null: whichever the credentials belong to."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is not an AWS account: use its 12 digits."
  }
}

variable "alert_email" {
  description = "Mail address that alarms, failed runs and budget warnings go to; its owner confirms a mail from AWS once."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:].]+$", var.alert_email))
    error_message = "alert_email is missing or not a mail address: set it, for example with TF_VAR_alert_email=team@example.com, so that somebody hears of failed runs."
  }
}

variable "tags" {
  description = "Further tags of every resource."
  type        = map(string)
  default     = {}
}

# Protection

variable "deletion_protection" {
  description = "Keep what cannot be made again: make destroy refuses, and so does a make deploy that would replace a warehouse or a bucket; under a plain terraform destroy, buckets with content stay and with them the key, and a cluster leaves a final snapshot (a workgroup leaves none)."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps the logs."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "monthly_budget_usd" {
  description = "Budget of a month in US dollars; mails go out at 80 % and 100 % spent and at 100 % forecast."
  type        = number
  default     = 1000

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd is ${var.monthly_budget_usd}: use an amount above 0."
  }
}

# Buckets

variable "bucket_suffix" {
  description = "What follows <name>-data, <name>-scripts, <name>-airflow and <name>-logs in the buckets' names; null: -<account>-<region>, which nobody else has."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_suffix == null || can(regex("^(-[a-z0-9]+)*$", var.bucket_suffix)) && try(length(var.bucket_suffix), 0) <= 30
    error_message = "bucket_suffix is not usable: use up to 30 lower-case letters and digits in parts that each start with a hyphen, such as -acme-dev, or an empty string."
  }
}

variable "enable_lifecycle_rules" {
  description = "Expire old object versions, unfinished uploads and logs. Off saves a minute of waiting in tests."
  type        = bool
  default     = true
}

# Code that Terraform uploads

variable "project_dir" {
  description = "Root of this repository, with include/glue and sql/reviews; null: two folders up."
  type        = string
  default     = null
}

variable "package_dir" {
  description = "What `make package` has built: mwaa/plugins.zip, mwaa/requirements.txt and glue/redshift_sql-*.whl; null: dist in project_dir."
  type        = string
  default     = null
}
