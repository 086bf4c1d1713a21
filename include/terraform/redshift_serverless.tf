# The serverless workgroup; redshift.tf has the other mode.

resource "aws_redshiftserverless_namespace" "this" {
  count = local.provisioned ? 0 : 1

  namespace_name = var.name
  db_name        = var.database

  admin_username                   = var.admin_user
  manage_admin_password            = true
  admin_password_secret_kms_key_id = aws_kms_key.this.arn

  kms_key_id           = aws_kms_key.this.arn
  iam_roles            = [aws_iam_role.warehouse.arn]
  default_iam_role_arn = aws_iam_role.warehouse.arn
  log_exports          = local.audit_logs

  depends_on = [aws_cloudwatch_log_group.redshift]

  lifecycle {
    # Another database would be another namespace, without the data of this one: refused below, as with a cluster.
    ignore_changes = [db_name, admin_username]

    postcondition {
      condition     = self.db_name == var.database
      error_message = "database is \"${var.database}\", but a warehouse keeps the one that it was created with: set database = \"${self.db_name}\"."
    }

    postcondition {
      condition     = nonsensitive(self.admin_username) == var.admin_user
      error_message = "admin_user is \"${var.admin_user}\", but a warehouse keeps the one that it was created with: set admin_user = \"${nonsensitive(self.admin_username)}\"."
    }
  }
}

resource "aws_redshiftserverless_workgroup" "this" {
  count = local.provisioned ? 0 : 1

  workgroup_name = var.name
  namespace_name = aws_redshiftserverless_namespace.this[0].namespace_name
  base_capacity  = var.base_capacity_rpus
  max_capacity   = var.max_capacity_rpus

  port                 = var.redshift_port
  publicly_accessible  = false
  enhanced_vpc_routing = true
  subnet_ids           = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids   = [aws_security_group.redshift.id]

  config_parameter {
    parameter_key   = "require_ssl"
    parameter_value = "true"
  }

  config_parameter {
    parameter_key   = "enable_user_activity_logging"
    parameter_value = "true"
  }

  depends_on = [aws_vpc_endpoint.s3, aws_vpc_security_group_egress_rule.redshift_s3]

  lifecycle {
    # AWS answers with every parameter, also with newer ones that the provider refuses: set once, then left alone.
    ignore_changes = [config_parameter]
  }
}

resource "aws_redshiftserverless_usage_limit" "this" {
  count = local.provisioned ? 0 : 1

  resource_arn  = aws_redshiftserverless_workgroup.this[0].arn
  usage_type    = "serverless-compute"
  amount        = var.daily_rpu_hours
  period        = "daily"
  breach_action = "emit-metric"
}
