variable "redshift_mode" {
  description = "provisioned: a cluster that is paid by the hour; serverless: a workgroup that is paid by the second of work."
  type        = string
  default     = "provisioned"

  validation {
    condition     = contains(["provisioned", "serverless"], var.redshift_mode)
    error_message = "redshift_mode is \"${var.redshift_mode}\": use provisioned or serverless."
  }
}

variable "database" {
  description = "Database that the warehouse is created with, once and for all, and that the pipelines work in."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_$]{0,63}$", var.database))
    error_message = "database is \"${var.database}\": use up to 64 lower-case letters, digits, _ and $, starting with a letter, such as dev or reviews."
  }
}

variable "admin_user" {
  description = "The warehouse's superuser, once and for all; Redshift keeps and rotates its password in Secrets Manager."
  type        = string
  default     = "awsuser"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.admin_user)) && !contains(["admin", "public", "rdsdb", "user"], var.admin_user)
    error_message = "admin_user is \"${var.admin_user}\": use lower-case letters, digits and _, starting with a letter, and no reserved word such as user."
  }
}

variable "redshift_port" {
  description = "Port that the cluster or workgroup answers SQL clients on."
  type        = number
  default     = 5439

  validation {
    condition     = var.redshift_port >= 5431 && var.redshift_port <= 5455 || var.redshift_port >= 8191 && var.redshift_port <= 8215
    error_message = "redshift_port is ${var.redshift_port}: RA3 nodes and Serverless take 5431 to 5455 and 8191 to 8215."
  }
}

variable "redshift_node_type" {
  description = "Node type of the cluster (provisioned)."
  type        = string
  default     = "ra3.xlplus"

  validation {
    condition     = contains(["ra3.large", "ra3.xlplus", "ra3.4xlarge", "ra3.16xlarge"], var.redshift_node_type)
    error_message = "redshift_node_type is \"${var.redshift_node_type}\": use ra3.large, ra3.xlplus, ra3.4xlarge or ra3.16xlarge."
  }
}

variable "redshift_node_count" {
  description = "Number of nodes of the cluster (provisioned)."
  type        = number
  default     = 2

  validation {
    condition     = var.redshift_node_count >= 1 && var.redshift_node_count <= 32 && floor(var.redshift_node_count) == var.redshift_node_count
    error_message = "redshift_node_count is ${var.redshift_node_count}: use a whole number from 1 to 32."
  }

  validation {
    condition     = var.redshift_node_count > 1 || contains(["ra3.large", "ra3.xlplus"], var.redshift_node_type)
    error_message = "redshift_node_count is 1: ${var.redshift_node_type} needs at least 2 nodes."
  }
}

variable "snapshot_retention_days" {
  description = "Days that automatic snapshots of the cluster are kept (provisioned); a workgroup has recovery points of 24 hours."
  type        = number
  default     = 7

  validation {
    condition     = var.snapshot_retention_days >= 1 && var.snapshot_retention_days <= 35 && floor(var.snapshot_retention_days) == var.snapshot_retention_days
    error_message = "snapshot_retention_days is ${var.snapshot_retention_days}: use a whole number from 1 to 35."
  }
}

variable "enable_snapshot_schedule" {
  description = "Take a snapshot at 02:00 UTC every day, before the nightly load, instead of at AWS's choice (provisioned)."
  type        = bool
  default     = true
}

variable "maintenance_window" {
  description = "Weekly window in which AWS maintains the cluster (provisioned), UTC."
  type        = string
  default     = "sun:08:00-sun:09:00"

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window is \"${var.maintenance_window}\": use two days with a time from 00:00 to 23:59, such as sun:08:00-sun:09:00."
  }
}

variable "base_capacity_rpus" {
  description = "Redshift Processing Units that a query starts with (serverless)."
  type        = number
  default     = 8

  validation {
    condition     = var.base_capacity_rpus == 4 || var.base_capacity_rpus >= 8 && var.base_capacity_rpus <= 512 && var.base_capacity_rpus % 8 == 0
    error_message = "base_capacity_rpus is ${var.base_capacity_rpus}: use 4 or a multiple of 8 from 8 to 512."
  }
}

variable "max_capacity_rpus" {
  description = "Redshift Processing Units that the workgroup may grow to (serverless)."
  type        = number
  default     = 32

  validation {
    condition     = var.max_capacity_rpus >= var.base_capacity_rpus && var.max_capacity_rpus % 8 == 0
    error_message = "max_capacity_rpus is ${var.max_capacity_rpus}: use a multiple of 8 that is at least base_capacity_rpus, ${var.base_capacity_rpus}."
  }
}

variable "daily_rpu_hours" {
  description = "RPU hours a day after which an alarm tells of unusual work (serverless)."
  type        = number
  default     = 32

  validation {
    condition     = var.daily_rpu_hours >= 1
    error_message = "daily_rpu_hours is ${var.daily_rpu_hours}: use at least 1."
  }

  validation {
    condition     = var.daily_rpu_hours < var.max_capacity_rpus * 24
    error_message = "daily_rpu_hours is ${var.daily_rpu_hours}: ${var.max_capacity_rpus} RPUs cannot use more in a day, and no alarm would ever go out; use less than 24 hours of max_capacity_rpus."
  }
}

variable "reviews_location" {
  description = "Your own copy of the product reviews: the S3 location of its product_category= folders, in a bucket of this region; null: raw/reviews/ in the stack's data bucket. Objects under a KMS key need the warehouse's role in the key's policy."
  type        = string
  default     = null

  validation {
    condition     = var.reviews_location == null || can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([^'\"[:space:]*?]*/)?$", var.reviews_location))
    error_message = "reviews_location is no S3 location that ends with a slash: use for example s3://my-copy/parquet/."
  }
}
