# The provisioned cluster; redshift_serverless.tf has the other mode.

resource "aws_redshift_subnet_group" "this" {
  count = local.provisioned ? 1 : 0

  name        = var.name
  description = "The private subnets of ${var.name}"
  subnet_ids  = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_redshift_parameter_group" "this" {
  count = local.provisioned ? 1 : 0

  name        = var.name
  description = "TLS only, every statement logged"
  family      = "redshift-2.0"

  parameter {
    name  = "require_ssl"
    value = "true"
  }

  parameter {
    name  = "enable_user_activity_logging"
    value = "true"
  }
}

resource "aws_redshift_cluster" "this" {
  # checkov:skip=CKV_AWS_71:Audit logging is aws_redshift_logging below; the check knows only the deprecated block.
  count = local.provisioned ? 1 : 0

  cluster_identifier = var.name
  node_type          = var.redshift_node_type
  cluster_type       = var.redshift_node_count == 1 ? "single-node" : "multi-node"
  number_of_nodes    = var.redshift_node_count

  database_name                     = var.database
  master_username                   = var.admin_user
  manage_master_password            = true
  master_password_secret_kms_key_id = aws_kms_key.this.arn

  port                         = var.redshift_port
  publicly_accessible          = false
  enhanced_vpc_routing         = true
  cluster_subnet_group_name    = aws_redshift_subnet_group.this[0].name
  vpc_security_group_ids       = [aws_security_group.redshift.id]
  cluster_parameter_group_name = aws_redshift_parameter_group.this[0].name

  # To the other private subnet when a zone is lost, under the same host name; RA3 only, and only with its range of ports.
  availability_zone_relocation_enabled = true

  encrypted  = true
  kms_key_id = aws_kms_key.this.arn

  iam_roles            = [aws_iam_role.warehouse.arn]
  default_iam_role_arn = aws_iam_role.warehouse.arn

  allow_version_upgrade               = true
  preferred_maintenance_window        = var.maintenance_window
  automated_snapshot_retention_period = var.snapshot_retention_days
  skip_final_snapshot                 = !var.deletion_protection
  final_snapshot_identifier           = var.deletion_protection ? "${var.name}-final" : null

  # The route to S3 must be there before the first COPY and for as long as the cluster is.
  depends_on = [aws_vpc_endpoint.s3, aws_vpc_security_group_egress_rule.redshift_s3]

  lifecycle {
    # Another database would never be made, and another superuser would be another cluster: both are refused below.
    ignore_changes = [database_name, master_username]

    postcondition {
      condition     = self.database_name == var.database
      error_message = "database is \"${var.database}\", but a warehouse keeps the one that it was created with: set database = \"${self.database_name}\"."
    }

    postcondition {
      condition     = self.master_username == var.admin_user
      error_message = "admin_user is \"${var.admin_user}\", but a warehouse keeps the one that it was created with: set admin_user = \"${self.master_username}\"."
    }
  }
}

locals {
  audit_logs = ["connectionlog", "useractivitylog", "userlog"]
}

# Created first, so that they have an end and a key; Redshift would create them with neither.
resource "aws_cloudwatch_log_group" "redshift" {
  for_each = toset([
    for log in local.audit_logs : local.provisioned ? "/aws/redshift/cluster/${var.name}/${log}" : "/aws/redshift/${var.name}/${log}"
  ])

  name              = each.key
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_redshift_logging" "this" {
  count = local.provisioned ? 1 : 0

  cluster_identifier   = aws_redshift_cluster.this[0].cluster_identifier
  log_destination_type = "cloudwatch"
  log_exports          = local.audit_logs

  depends_on = [aws_cloudwatch_log_group.redshift]
}

resource "aws_redshift_snapshot_schedule" "this" {
  count = local.provisioned && var.enable_snapshot_schedule ? 1 : 0

  identifier  = var.name
  description = "Before the nightly load"
  # Minute, hour, day: schedules of snapshots have three fields.
  definitions = ["cron(0 2 *)"]
}

resource "aws_redshift_snapshot_schedule_association" "this" {
  count = local.provisioned && var.enable_snapshot_schedule ? 1 : 0

  cluster_identifier  = aws_redshift_cluster.this[0].cluster_identifier
  schedule_identifier = aws_redshift_snapshot_schedule.this[0].identifier
}

# Concurrency scaling is paid extra beyond an hour a day; nobody here has asked for it.
resource "aws_redshift_usage_limit" "concurrency_scaling" {
  count = local.provisioned ? 1 : 0

  cluster_identifier = aws_redshift_cluster.this[0].cluster_identifier
  feature_type       = "concurrency-scaling"
  limit_type         = "time"
  amount             = 60
  period             = "daily"
  breach_action      = "disable"
}
