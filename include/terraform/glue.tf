resource "aws_glue_catalog_database" "this" {
  for_each = local.catalog_databases

  name        = each.key
  description = each.value
}

resource "aws_glue_security_configuration" "this" {
  name = var.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = aws_kms_key.this.arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = aws_kms_key.this.arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = aws_kms_key.this.arn
    }
  }
}

# The way into the VPC; the job logs in with the secret itself.
resource "aws_glue_connection" "warehouse" {
  name            = var.name
  description     = "The warehouse, from private subnet a"
  connection_type = "JDBC"

  connection_properties = {
    JDBC_CONNECTION_URL = "jdbc:redshift://${local.warehouse_host}:${var.redshift_port}/${var.database}"
    JDBC_ENFORCE_SSL    = "true"
    SECRET_ID           = local.secret_arn
  }

  physical_connection_requirements {
    availability_zone      = aws_subnet.private["private_a"].availability_zone
    subnet_id              = aws_subnet.private["private_a"].id
    security_group_id_list = [aws_security_group.glue.id]
  }
}

resource "aws_glue_job" "reviews_etl" {
  name                   = "reviews-etl"
  description            = "Runs one SQL file of the reviews pipeline on Redshift"
  role_arn               = aws_iam_role.glue.arn
  glue_version           = "3.0"
  max_capacity           = 0.0625
  timeout                = 60
  max_retries            = 0
  connections            = [aws_glue_connection.warehouse.name]
  security_configuration = aws_glue_security_configuration.this.name

  command {
    name            = "pythonshell"
    python_version  = "3.9"
    script_location = "s3://${module.bucket["scripts"].name}/${aws_s3_object.glue_script.key}"
  }

  # Airflow adds --file and --params for each run. library-set is Glue's own and has no dashes.
  default_arguments = {
    "library-set"         = "analytics"
    "--extra-py-files"    = "s3://${module.bucket["scripts"].name}/${aws_s3_object.glue_wheel.key}"
    "--bucket"            = module.bucket["scripts"].name
    "--db"                = var.database
    "--db_creds"          = local.secret_arn
    "--host"              = local.warehouse_host
    "--port"              = tostring(var.redshift_port)
    "--statement_timeout" = "1200"
  }

  execution_property {
    max_concurrent_runs = 2
  }
}
