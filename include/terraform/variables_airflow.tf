variable "enable_mwaa" {
  description = "Create the Airflow environment. Off: only what the pipelines work on, for an Airflow elsewhere."
  type        = bool
  default     = true
}

variable "airflow_version" {
  description = "Airflow version of the environment."
  type        = string
  default     = "3.3.1"

  # A newer one is added here when MWAA offers it and the tests pass under its constraints.
  validation {
    condition     = contains(["3.3.1"], var.airflow_version)
    error_message = "airflow_version is \"${var.airflow_version}\": these DAGs are made for 3.3.1 and MWAA offers no other that they run on, so use 3.3.1."
  }
}

variable "environment_class" {
  description = "Size of the environment's containers."
  type        = string
  default     = "mw1.small"

  validation {
    condition     = contains(["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"], var.environment_class)
    error_message = "environment_class is \"${var.environment_class}\": use mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge or mw1.2xlarge."
  }
}

variable "min_workers" {
  description = "Workers that always run."
  type        = number
  default     = 1

  validation {
    condition     = var.min_workers >= 1 && var.min_workers <= 25 && floor(var.min_workers) == var.min_workers
    error_message = "min_workers is ${var.min_workers}: use a whole number from 1 to 25."
  }
}

variable "max_workers" {
  description = "Workers that the environment may grow to."
  type        = number
  default     = 2

  validation {
    condition     = var.max_workers >= var.min_workers && var.max_workers <= 25 && floor(var.max_workers) == var.max_workers
    error_message = "max_workers is ${var.max_workers}: use a whole number from min_workers, ${var.min_workers}, to 25."
  }

  validation {
    condition     = var.environment_class != "mw1.micro" || var.max_workers == 1
    error_message = "max_workers is ${var.max_workers}: an mw1.micro environment has exactly 1 worker."
  }
}

variable "webserver_access_mode" {
  description = "Who reaches the web UI: PRIVATE_ONLY (from webserver_clients, through the VPC), PUBLIC_ONLY (from the internet, with IAM login)."
  type        = string
  default     = "PRIVATE_ONLY"

  validation {
    condition     = contains(["PRIVATE_ONLY", "PUBLIC_ONLY"], var.webserver_access_mode)
    error_message = "webserver_access_mode is \"${var.webserver_access_mode}\": use PRIVATE_ONLY or PUBLIC_ONLY."
  }

  # A public web server has no endpoint in the VPC, and tasks of Airflow 3 tell it all they do.
  validation {
    condition     = !(var.webserver_access_mode == "PUBLIC_ONLY" && var.enable_mwaa && var.egress == "interface_endpoints")
    error_message = "webserver_access_mode is \"PUBLIC_ONLY\", but with egress = \"interface_endpoints\" Airflow's tasks have no way to their own web server: use PRIVATE_ONLY, or egress = \"single_nat\" or \"nat_per_zone\"."
  }
}

variable "webserver_clients" {
  description = "IPv4 ranges from which a private web UI is reached, such as a VPN's or a bastion's; empty: from nowhere."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.webserver_clients : try(cidrhost(cidr, 0) == split("/", cidr)[0], false)])
    error_message = "webserver_clients has an entry that is no network address: use CIDR notation such as 10.8.0.0/16, or 10.8.1.5/32 for one machine."
  }

  validation {
    condition     = length(var.webserver_clients) == 0 || var.webserver_access_mode == "PRIVATE_ONLY"
    error_message = "webserver_clients is set, but a PUBLIC_ONLY web UI is reached from everywhere: leave it out, or set webserver_access_mode = \"PRIVATE_ONLY\"."
  }
}

variable "airflow_maintenance_window" {
  description = "Start of the weekly window in which AWS maintains the environment, UTC: when no run is on."
  type        = string
  default     = "SUN:15:00"

  validation {
    condition     = can(regex("^(MON|TUE|WED|THU|FRI|SAT|SUN):([01][0-9]|2[0-3]):(00|30)$", var.airflow_maintenance_window))
    error_message = "airflow_maintenance_window is \"${var.airflow_maintenance_window}\": use a day and a half hour such as SUN:15:00."
  }
}

variable "timezone" {
  description = "IANA name of the zone in which a refresh date is a day and the schedule is read."
  type        = string
  default     = "America/New_York"

  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z_+-]+[0-9]*)+)$", var.timezone))
    error_message = "timezone is \"${var.timezone}\": use an IANA name such as America/New_York or UTC."
  }
}

variable "schedule" {
  description = "Cron expression of the daily run in the time zone; null: runs are only started by hand."
  type        = string
  default     = "0 6 * * *"

  validation {
    condition     = var.schedule == null || can(regex("^[0-5]?[0-9] ([01]?[0-9]|2[0-3]) [*] [*] [*]$", var.schedule))
    error_message = "schedule is \"${coalesce(var.schedule, "null")}\": use a cron expression of one time on each day, for each run loads one day, such as \"0 6 * * *\", or null to start runs by hand only."
  }

  validation {
    condition     = var.schedule == null || var.first_refresh_date != null
    error_message = "schedule is \"${coalesce(var.schedule, "null")}\" and first_refresh_date is not set: set it to the first day to load, for example with TF_VAR_first_refresh_date=2026-11-30, for the days since then that Airflow misses are caught up; or set schedule to null."
  }
}

variable "first_refresh_date" {
  description = "First day that the schedule loads, YYYY-MM-DD: each day since then that had no scheduled run is caught up."
  type        = string
  default     = null

  validation {
    condition     = var.first_refresh_date == null || can(formatdate("YYYY-MM-DD", "${var.first_refresh_date}T00:00:00Z"))
    error_message = "first_refresh_date is \"${coalesce(var.first_refresh_date, "null")}\": use a date such as 2026-11-30."
  }
}

variable "oldest_task_minutes" {
  description = "Age in minutes of the oldest waiting task at which an alarm goes out."
  type        = number
  default     = 30

  validation {
    condition     = var.oldest_task_minutes >= 5
    error_message = "oldest_task_minutes is ${var.oldest_task_minutes}: use at least 5."
  }
}

variable "enable_quicksight" {
  description = "Create the QuickSight data source and data set of the top reviews, which is empty until a run of reviews_etl has refreshed it. The account must have QuickSight."
  type        = bool
  default     = false

  validation {
    condition     = !(var.enable_quicksight && var.enable_mwaa && var.egress == "interface_endpoints")
    error_message = "enable_quicksight is true, but with egress = \"interface_endpoints\" Airflow has no way to QuickSight: use single_nat or nat_per_zone, or set enable_quicksight = false."
  }
}

variable "quicksight_principal_arn" {
  description = "QuickSight user or group that owns the data set; needed with enable_quicksight."
  type        = string
  default     = null

  validation {
    condition     = !var.enable_quicksight || can(regex("^arn:aws[a-z-]*:quicksight:[a-z0-9-]+:[0-9]{12}:(user|group)/.+$", var.quicksight_principal_arn))
    error_message = "quicksight_principal_arn is missing or no QuickSight user: set it to arn:aws:quicksight:<region>:<account>:user/default/<name>, or set enable_quicksight = false."
  }
}

variable "deadline" {
  description = "Time of day, HH:MM in the time zone, by which the day before must be loaded, or an alert is sent; null: no such alert."
  type        = string
  default     = "09:00"

  validation {
    condition     = var.deadline == null || can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.deadline))
    error_message = "deadline is not a time of day: use HH:MM such as 09:00, or null for no such alert."
  }
}

variable "pause_cluster" {
  description = "Whether the pipelines resume the provisioned cluster when they need it and pause it after the last run; not for a cluster that others query, and not for a workgroup."
  type        = bool
  default     = false

  validation {
    condition     = !var.pause_cluster || var.redshift_mode == "provisioned"
    error_message = "pause_cluster is true, but a workgroup pauses by itself: set pause_cluster = false, or redshift_mode = \"provisioned\"."
  }
}
