locals {
  wheels      = tolist(fileset("${local.package_dir}/glue", "redshift_sql-*.whl"))
  reviews_sql = fileset("${local.project_dir}/sql/reviews", "*.sql")
  # The DAGs themselves are synced by the deployment: that takes half a minute and no environment update.
  airflow_files = var.enable_mwaa ? toset(["plugins.zip", "requirements.txt"]) : toset([])
}

resource "aws_s3_object" "glue_script" {
  bucket      = module.bucket["scripts"].name
  key         = "python/reviews_etl.py"
  source      = "${local.project_dir}/include/glue/reviews_etl.py"
  source_hash = filemd5("${local.project_dir}/include/glue/reviews_etl.py")
}

resource "aws_s3_object" "glue_wheel" {
  bucket      = module.bucket["scripts"].name
  key         = "python/${one(local.wheels)}"
  source      = "${local.package_dir}/glue/${one(local.wheels)}"
  source_hash = filemd5("${local.package_dir}/glue/${one(local.wheels)}")

  lifecycle {
    precondition {
      condition     = length(local.wheels) == 1
      error_message = "${local.package_dir}/glue holds ${length(local.wheels)} files redshift_sql-*.whl instead of one: run make package."
    }
  }
}

resource "aws_s3_object" "reviews_sql" {
  for_each = local.reviews_sql

  bucket      = module.bucket["scripts"].name
  key         = "sql/reviews/${each.key}"
  source      = "${local.project_dir}/sql/reviews/${each.key}"
  source_hash = filemd5("${local.project_dir}/sql/reviews/${each.key}")
}

resource "aws_s3_object" "airflow" {
  for_each = local.airflow_files

  bucket      = module.bucket["airflow"].name
  key         = each.key
  source      = "${local.package_dir}/mwaa/${each.key}"
  source_hash = filemd5("${local.package_dir}/mwaa/${each.key}")

  lifecycle {
    precondition {
      condition     = fileexists("${local.package_dir}/mwaa/${each.key}")
      error_message = "${local.package_dir}/mwaa/${each.key} does not exist: run make package, or set enable_mwaa = false."
    }
  }
}
