locals {
  zone_names = var.availability_zones == null ? data.aws_availability_zones.available.names : var.availability_zones
  zones = {
    a = local.zone_names[0]
    b = local.zone_names[1]
    c = try(local.zone_names[2], null)
  }
  public_subnets = {
    public_a = { cidr = var.subnets.public_a, zone = local.zones.a }
    public_b = { cidr = var.subnets.public_b, zone = local.zones.b }
  }
  # Redshift Serverless wants three subnets in three zones; everything else lives in two.
  private_subnets = merge(
    {
      private_a = { cidr = var.subnets.private_a, zone = local.zones.a }
      private_b = { cidr = var.subnets.private_b, zone = local.zones.b }
    },
    local.provisioned ? {} : {
      private_c = { cidr = var.subnets.private_c, zone = local.zones.c }
    }
  )
  # The NAT gateways and, for each private subnet, the one it leaves through.
  nat_subnets = {
    single_nat          = ["public_a"]
    nat_per_zone        = ["public_a", "public_b"]
    interface_endpoints = []
  }[var.egress]
  nat_of_subnet = {
    single_nat          = { private_a = "public_a", private_b = "public_a", private_c = "public_a" }
    nat_per_zone        = { private_a = "public_a", private_b = "public_b", private_c = "public_a" }
    interface_endpoints = {}
  }[var.egress]
}

resource "aws_vpc" "this" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Closed: nothing may rely on the group that a VPC is born with.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-closed" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each = local.public_subnets

  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.value.cidr
  availability_zone       = each.value.zone
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

resource "aws_subnet" "private" {
  for_each = local.private_subnets

  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value.cidr
  availability_zone = each.value.zone

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }

  lifecycle {
    precondition {
      condition     = each.value.zone != null
      error_message = "Region ${var.region} has fewer than three availability zones for this account: Redshift Serverless needs three, so name them in availability_zones (in us-west-1 the third may be one of the two), or use another region or redshift_mode = \"provisioned\"."
    }
  }
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_subnets)

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${replace(each.key, "_", "-")}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_subnets)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }

  depends_on = [aws_internet_gateway.this]
}

# A table for each subnet, so that one can be changed alone.
resource "aws_route_table" "public" {
  for_each = local.public_subnets

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

resource "aws_route" "internet" {
  for_each = local.public_subnets

  route_table_id         = aws_route_table.public[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = local.public_subnets

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public[each.key].id
}

resource "aws_route_table" "private" {
  for_each = local.private_subnets

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

resource "aws_route" "nat" {
  for_each = { for name, nat in local.nat_of_subnet : name => nat if contains(keys(local.private_subnets), name) }

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.value].id
}

resource "aws_route_table_association" "private" {
  for_each = local.private_subnets

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "REJECT"
  iam_role_arn    = aws_iam_role.flow_logs.arn
  log_destination = aws_cloudwatch_log_group.flow_logs.arn

  tags = { Name = var.name }
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  name              = "/aws/vpc/${var.name}/flow-logs"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_iam_role" "flow_logs" {
  name        = "${var.name}-flow-logs"
  description = "Writes the VPC's rejected connections to CloudWatch."
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "flow_logs" {
  name = "flow-logs"
  role = aws_iam_role.flow_logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = "${aws_cloudwatch_log_group.flow_logs.arn}:*"
    }]
  })
}
