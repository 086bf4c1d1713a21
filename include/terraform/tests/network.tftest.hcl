mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  alert_email        = "team@example.com"
  first_refresh_date = "2026-11-30"
  package_dir        = "./tests/package"
}

run "the_addresses_are_the_documented_ones" {
  command = plan

  assert {
    condition     = aws_vpc.this.cidr_block == "10.71.0.0/16"
    error_message = "The VPC is ${aws_vpc.this.cidr_block}."
  }

  assert {
    condition = { for name, subnet in merge(aws_subnet.public, aws_subnet.private) : name => subnet.cidr_block } == {
      public_a  = "10.71.0.0/20"
      private_a = "10.71.16.0/20"
      public_b  = "10.71.32.0/20"
      private_b = "10.71.48.0/20"
    }
    error_message = "The subnets are not the four documented ones."
  }

  assert {
    condition     = aws_subnet.private["private_a"].availability_zone != aws_subnet.private["private_b"].availability_zone
    error_message = "The private subnets share a zone."
  }

  assert {
    condition     = length(aws_route_table.public) + length(aws_route_table.private) == 4
    error_message = "There is not one route table for each subnet."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "A machine in a public subnet would get a public address."
  }
}

run "one_nat_gateway_serves_both_zones" {
  command = plan

  assert {
    condition     = keys(aws_nat_gateway.this) == ["public_a"] && length(aws_eip.nat) == 1
    error_message = "There is not exactly one NAT gateway."
  }

  assert {
    condition     = keys(aws_route.nat) == ["private_a", "private_b"]
    error_message = "A private subnet has no way out."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0
    error_message = "Interface endpoints cost money where a NAT gateway does their work."
  }
}

run "a_nat_gateway_for_each_zone" {
  command = plan

  variables {
    egress = "nat_per_zone"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["public_a", "public_b"]
    error_message = "There is not one NAT gateway for each zone."
  }
}

run "interface_endpoints_in_place_of_nat" {
  command = plan

  variables {
    egress = "interface_endpoints"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0
    error_message = "Something leads to the internet."
  }

  assert {
    condition = length(setsubtract([
      "airflow.api", "airflow.env", "airflow.ops", "glue", "kms", "logs", "monitoring", "redshift-data", "secretsmanager", "sns", "sqs", "sts",
    ], keys(aws_vpc_endpoint.interface))) == 0
    error_message = "A service that the pipelines call has no endpoint."
  }

  assert {
    condition     = !contains(keys(aws_vpc_endpoint.interface), "redshift")
    error_message = "An endpoint that nothing calls costs money."
  }
}

run "a_cluster_is_paused_through_an_endpoint_where_nothing_else_leads_to_redshift" {
  command = plan

  variables {
    egress        = "interface_endpoints"
    pause_cluster = true
  }

  assert {
    condition     = aws_vpc_endpoint.interface["redshift"].service_name == "com.amazonaws.us-east-1.redshift"
    error_message = "DescribeClusters, PauseCluster and ResumeCluster would time out."
  }
}

run "quicksight_and_the_web_ui_are_no_matter_of_the_networks_where_airflow_is_elsewhere" {
  command = plan

  variables {
    egress                   = "interface_endpoints"
    enable_mwaa              = false
    webserver_access_mode    = "PUBLIC_ONLY"
    enable_quicksight        = true
    quicksight_principal_arn = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
  }

  assert {
    condition     = length(aws_quicksight_data_set.top_reviews) == 1
    error_message = "There is no data set."
  }
}

run "serverless_gets_the_third_zone_it_asks_for" {
  command = plan

  variables {
    redshift_mode = "serverless"
  }

  assert {
    condition     = length(distinct([for subnet in aws_subnet.private : subnet.availability_zone])) == 3
    error_message = "Redshift Serverless refuses fewer than three zones."
  }

  assert {
    condition     = keys(aws_route.nat) == ["private_a", "private_b", "private_c"]
    error_message = "The third subnet has no way out."
  }
}

run "the_zones_can_be_named" {
  command = plan

  variables {
    redshift_mode      = "serverless"
    availability_zones = ["us-east-1d", "us-east-1a", "us-east-1f"]
  }

  assert {
    condition = { for name, subnet in merge(aws_subnet.public, aws_subnet.private) : name => subnet.availability_zone } == {
      public_a  = "us-east-1d"
      private_a = "us-east-1d"
      public_b  = "us-east-1a"
      private_b = "us-east-1a"
      private_c = "us-east-1f"
    }
    error_message = "The subnets are not in the zones that were named."
  }
}

run "two_zones_are_enough_for_redshift_serverless_in_northern_california" {
  command = plan

  variables {
    region             = "us-west-1"
    redshift_mode      = "serverless"
    availability_zones = ["us-west-1b", "us-west-1c", "us-west-1b"]
  }

  assert {
    condition     = aws_subnet.private["private_c"].availability_zone == "us-west-1b"
    error_message = "The third subnet is not in one of the two zones."
  }
}

run "s3_is_reached_without_nat" {
  command = plan

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.us-east-1.s3"
    error_message = "There is no gateway endpoint for S3."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.redshift_s3.prefix_list_id == aws_vpc_endpoint.s3.prefix_list_id
    error_message = "With enhanced VPC routing Redshift cannot COPY without a way to S3's prefix list."
  }
}

run "a_private_web_ui_answers_the_clients_that_are_named" {
  command = plan

  variables {
    webserver_clients = ["10.8.0.0/16", "10.9.1.5/32"]
  }

  assert {
    condition = {
      for cidr, rule in aws_vpc_security_group_ingress_rule.airflow_clients : cidr => [rule.security_group_id, rule.ip_protocol, rule.from_port, rule.to_port, rule.cidr_ipv4]
      } == {
      for cidr in var.webserver_clients : cidr => [output.airflow_security_group_id, "tcp", 443, 443, cidr]
    }
    error_message = "Nobody reaches the web UI, or more than its port is open."
  }
}

run "groups_refer_to_themselves_where_aws_requires_it" {
  command = plan

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.airflow_clients) == 0
    error_message = "The web UI is open to somebody unasked."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.airflow_self.referenced_security_group_id == aws_security_group.airflow.id
    error_message = "MWAA needs a self-referencing group."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.glue_self.referenced_security_group_id == aws_security_group.glue.id
    error_message = "A Glue connection needs a self-referencing group."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.redshift_glue.referenced_security_group_id == aws_security_group.glue.id
    error_message = "The job cannot reach the warehouse."
  }
}
