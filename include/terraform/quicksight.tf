locals {
  top_reviews_manifest = "reports/top_reviews/quicksight.json"
}

# QuickSight's own role for this one data source: nothing is to be granted in its console.
resource "aws_iam_role" "quicksight" {
  count = var.enable_quicksight ? 1 : 0

  name        = "${var.name}-quicksight"
  description = "QuickSight reads the top reviews."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "quicksight.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "quicksight" {
  count = var.enable_quicksight ? 1 : 0

  name = "quicksight"
  role = aws_iam_role.quicksight[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindReports"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = module.bucket["data"].arn
      },
      {
        Sid      = "ReadReports"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${module.bucket["data"].arn}/reports/top_reviews/*"
      },
      {
        Sid      = "UseKeyForS3"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.this.arn
        Condition = {
          StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" }
        }
      },
    ]
  })
}

# QuickSight reads the manifest when the data source is created; every run of reviews_etl writes it anew.
resource "aws_s3_object" "top_reviews_manifest" {
  count = var.enable_quicksight ? 1 : 0

  bucket       = module.bucket["data"].name
  key          = local.top_reviews_manifest
  content_type = "application/json"
  content = jsonencode({
    fileLocations        = [{ URIPrefixes = ["s3://${module.bucket["data"].name}/reports/top_reviews/data/"] }]
    globalUploadSettings = { format = "CSV", delimiter = ",", textqualifier = "\"", containsHeader = "true" }
  })

  lifecycle {
    # From the first run on it is the pipeline's, with the pipeline's tags, which are none.
    ignore_changes = all
  }
}

resource "aws_quicksight_data_source" "top_reviews" {
  count = var.enable_quicksight ? 1 : 0

  data_source_id = "${var.name}-top-reviews"
  name           = "Top reviews (S3)"
  type           = "S3"

  parameters {
    s3 {
      role_arn = aws_iam_role.quicksight[0].arn

      manifest_file_location {
        bucket = module.bucket["data"].name
        key    = aws_s3_object.top_reviews_manifest[0].key
      }
    }
  }

  permission {
    principal = var.quicksight_principal_arn
    actions = [
      "quicksight:DescribeDataSource", "quicksight:DescribeDataSourcePermissions", "quicksight:PassDataSource",
      "quicksight:UpdateDataSource", "quicksight:DeleteDataSource", "quicksight:UpdateDataSourcePermissions",
    ]
  }

  depends_on = [aws_iam_role_policy.quicksight]
}

resource "aws_quicksight_data_set" "top_reviews" {
  count = var.enable_quicksight ? 1 : 0

  data_set_id = "${var.name}-top-reviews"
  name        = "Top reviews"
  import_mode = "SPICE"

  physical_table_map {
    physical_table_map_id = "topreviews"

    s3_source {
      data_source_arn = aws_quicksight_data_source.top_reviews[0].arn

      # A file's columns are text; the logical table casts the numbers.
      dynamic "input_columns" {
        for_each = ["marketplace", "product_category", "product_title", "review_id", "helpful_votes", "average_stars"]

        content {
          name = input_columns.value
          type = "STRING"
        }
      }

      # QuickSight's defaults, spelled out: provider 5.100 wants the block but never sends it.
      upload_settings {
        format          = "CSV"
        delimiter       = ","
        text_qualifier  = "DOUBLE_QUOTE"
        contains_header = true
        start_from_row  = 1
      }
    }
  }

  logical_table_map {
    logical_table_map_id = "topreviews"
    alias                = "Top reviews"

    source {
      physical_table_id = "topreviews"
    }

    data_transforms {
      cast_column_type_operation {
        column_name     = "helpful_votes"
        new_column_type = "INTEGER"
      }
    }

    data_transforms {
      cast_column_type_operation {
        column_name     = "average_stars"
        new_column_type = "DECIMAL"
      }
    }
  }

  permissions {
    principal = var.quicksight_principal_arn
    actions = [
      "quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:PassDataSet",
      "quicksight:DescribeIngestion", "quicksight:ListIngestions", "quicksight:UpdateDataSet",
      "quicksight:DeleteDataSet", "quicksight:CreateIngestion", "quicksight:CancelIngestion",
      "quicksight:UpdateDataSetPermissions",
    ]
  }
}
