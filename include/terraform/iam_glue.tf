# In place of AWS's managed AWSGlueServiceRole, which may do anything in Glue and list every bucket.
resource "aws_iam_role" "glue" {
  name        = "${var.name}-glue"
  description = "The Glue job reads its script and the warehouse's login."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "glue" {
  # checkov:skip=CKV_AWS_355:EC2's describe calls and network interfaces that do not exist yet have no ARN to name.
  name = "glue"
  role = aws_iam_role.glue.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadScripts"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${module.bucket["scripts"].arn}/*"
      },
      {
        # S3 answers 403 in place of 404 to who may not list: a wrong file name would look like a missing right.
        Sid      = "FindScripts"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = module.bucket["scripts"].arn
      },
      {
        Sid      = "ReadLogin"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = local.secret_arn
      },
      {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.this.arn
        Condition = {
          StringEquals = { "kms:ViaService" = ["s3.${var.region}.amazonaws.com", "secretsmanager.${var.region}.amazonaws.com"] }
        }
      },
      {
        Sid    = "WriteLogs"
        Effect = "Allow"
        # AssociateKmsKey: the security configuration encrypts the groups that Glue creates.
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"]
        Resource = "arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws-glue/*"
      },
      {
        Sid      = "ReadConnection"
        Effect   = "Allow"
        Action   = "glue:GetConnection"
        Resource = ["arn:${local.partition}:glue:${var.region}:${local.account_id}:catalog", aws_glue_connection.warehouse.arn]
      },
      {
        Sid    = "LookAtNetwork"
        Effect = "Allow"
        Action = [
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints",
        ]
        Resource = "*"
      },
      {
        Sid      = "LookAtVpc"
        Effect   = "Allow"
        Action   = "ec2:DescribeVpcAttribute"
        Resource = aws_vpc.this.arn
      },
      {
        Sid    = "EnterNetwork"
        Effect = "Allow"
        Action = "ec2:CreateNetworkInterface"
        Resource = [
          aws_subnet.private["private_a"].arn,
          aws_security_group.glue.arn,
          "arn:${local.partition}:ec2:${var.region}:${local.account_id}:network-interface/*",
        ]
      },
      {
        Sid       = "NameAndLeaveNetwork"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteNetworkInterface"]
        Resource  = "arn:${local.partition}:ec2:${var.region}:${local.account_id}:network-interface/*"
        Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["aws-glue-service-resource"] } }
      },
    ]
  })
}
