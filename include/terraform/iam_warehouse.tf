# The role that Redshift itself assumes for COPY, UNLOAD and Spectrum.
resource "aws_iam_role" "warehouse" {
  name        = "${var.name}-warehouse"
  description = "Redshift reads extracts, writes reports and keeps external tables in the Glue catalog."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "warehouse" {
  name = "warehouse"
  role = aws_iam_role.warehouse.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          # UNLOAD with ENCRYPTED AUTO asks for the bucket's default key.
          Sid      = "FindFiles"
          Effect   = "Allow"
          Action   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:GetEncryptionConfiguration"]
          Resource = module.bucket["data"].arn
        },
        {
          Sid      = "ReadExtracts"
          Effect   = "Allow"
          Action   = "s3:GetObject"
          Resource = "${module.bucket["data"].arn}/*"
        },
        {
          # UNLOAD with CLEANPATH deletes the files of the run before.
          Sid      = "WriteReports"
          Effect   = "Allow"
          Action   = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
          Resource = "${module.bucket["data"].arn}/reports/*"
        },
        {
          Sid      = "UseKeyForS3"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = aws_kms_key.this.arn
          Condition = {
            StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" }
          }
        },
        {
          Sid    = "KeepExternalTables"
          Effect = "Allow"
          Action = [
            "glue:GetDatabase", "glue:GetDatabases", "glue:CreateDatabase",
            "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:DeleteTable",
            "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition",
            "glue:CreatePartition", "glue:BatchCreatePartition", "glue:UpdatePartition",
          ]
          Resource = concat(
            ["arn:${local.partition}:glue:${var.region}:${local.account_id}:catalog"],
            flatten([
              for database in keys(local.catalog_databases) : [
                "arn:${local.partition}:glue:${var.region}:${local.account_id}:database/${database}",
                "arn:${local.partition}:glue:${var.region}:${local.account_id}:table/${database}/*",
              ]
            ])
          )
        },
      ],
      local.reviews_copy == null ? [] : [{
        Sid      = "FindReviews"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = local.reviews_copy.bucket_arn
      }],
      local.reviews_copy == null ? [] : [{
        Sid      = "ReadReviews"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = local.reviews_copy.files_arn
      }]
    )
  })
}
