locals {
  # What Airflow, the Glue job and Redshift call when there is no way out: MWAA's own list and the pipelines' services.
  interface_endpoint_services = var.egress == "interface_endpoints" ? toset(concat(
    ["ec2", "glue", "kms", "logs", "monitoring", "redshift-data", "secretsmanager", "sns", "sqs", "sts"],
    var.enable_mwaa ? ["airflow.api", "airflow.env", "airflow.ops"] : [],
    var.pause_cluster ? ["redshift"] : []
  )) : toset([])
}

# Free, and the short way to S3 in every mode; Glue with a connection cannot reach S3 without it or NAT.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]

  tags = { Name = "${var.name}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoint_services

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [aws_subnet.private["private_a"].id, aws_subnet.private["private_b"].id]
  security_group_ids  = [aws_security_group.endpoints.id]

  tags = { Name = "${var.name}-${each.key}" }
}
