# Airflow

resource "aws_security_group" "airflow" {
  name        = "${var.name}-airflow"
  description = "The Airflow environment"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-airflow" }
}

resource "aws_vpc_security_group_ingress_rule" "airflow_self" {
  security_group_id            = aws_security_group.airflow.id
  description                  = "Airflow's components among themselves, as MWAA requires"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.airflow.id

  tags = { Name = "self" }
}

# MWAA puts this group before a private web server too.
resource "aws_vpc_security_group_ingress_rule" "airflow_clients" {
  for_each = toset(var.webserver_clients)

  security_group_id = aws_security_group.airflow.id
  description       = "Airflow's web UI"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value

  tags = { Name = "web-ui" }
}

resource "aws_vpc_security_group_egress_rule" "airflow_self" {
  security_group_id            = aws_security_group.airflow.id
  description                  = "Airflow's components among themselves, the database's endpoint included"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.airflow.id

  tags = { Name = "self" }
}

resource "aws_vpc_security_group_egress_rule" "airflow_https" {
  security_group_id = aws_security_group.airflow.id
  description       = "AWS's services over TLS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"

  tags = { Name = "https" }
}

# Glue

resource "aws_security_group" "glue" {
  # checkov:skip=CKV2_AWS_5:The Glue connection attaches it, which the check does not know.
  name        = "${var.name}-glue"
  description = "The Glue jobs that use the warehouse's connection"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-glue" }
}

resource "aws_vpc_security_group_ingress_rule" "glue_self" {
  security_group_id            = aws_security_group.glue.id
  description                  = "A job's machines among themselves, as a Glue connection requires"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.glue.id

  tags = { Name = "self" }
}

resource "aws_vpc_security_group_egress_rule" "glue_self" {
  security_group_id            = aws_security_group.glue.id
  description                  = "A job's machines among themselves"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.glue.id

  tags = { Name = "self" }
}

resource "aws_vpc_security_group_egress_rule" "glue_redshift" {
  security_group_id            = aws_security_group.glue.id
  description                  = "The warehouse"
  ip_protocol                  = "tcp"
  from_port                    = var.redshift_port
  to_port                      = var.redshift_port
  referenced_security_group_id = aws_security_group.redshift.id

  tags = { Name = "redshift" }
}

resource "aws_vpc_security_group_egress_rule" "glue_https" {
  security_group_id = aws_security_group.glue.id
  description       = "AWS's services over TLS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"

  tags = { Name = "https" }
}

# Redshift

resource "aws_security_group" "redshift" {
  name        = "${var.name}-redshift"
  description = "The warehouse"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-redshift" }
}

resource "aws_vpc_security_group_ingress_rule" "redshift_glue" {
  security_group_id            = aws_security_group.redshift.id
  description                  = "Glue jobs; Airflow needs no way in, it uses the Data API"
  ip_protocol                  = "tcp"
  from_port                    = var.redshift_port
  to_port                      = var.redshift_port
  referenced_security_group_id = aws_security_group.glue.id

  tags = { Name = "glue" }
}

# With enhanced VPC routing COPY, UNLOAD and Spectrum leave through these two, and through nothing else.
resource "aws_vpc_security_group_egress_rule" "redshift_s3" {
  security_group_id = aws_security_group.redshift.id
  description       = "S3 through its gateway endpoint"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id

  tags = { Name = "s3" }
}

resource "aws_vpc_security_group_egress_rule" "redshift_https" {
  security_group_id = aws_security_group.redshift.id
  description       = "The Glue catalog and KMS over TLS, for Spectrum"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"

  tags = { Name = "https" }
}

# Interface endpoints

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "The interface endpoints"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_https" {
  security_group_id = aws_security_group.endpoints.id
  description       = "TLS from inside the VPC"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = var.vpc_cidr

  tags = { Name = "https" }
}
