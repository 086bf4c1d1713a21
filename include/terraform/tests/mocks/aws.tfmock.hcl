# The provider's own validators run on mocked values too: every ARN must have its right shape.
# Values are known at plan time, so that a test need not apply.
mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    names = ["us-east-1a", "us-east-1b", "us-east-1c"]
  }
}

mock_resource "aws_vpc" {
  defaults = {
    id  = "vpc-0mock"
    arn = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0mock"
  }
}

mock_resource "aws_subnet" {
  defaults = {
    arn = "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-0mock"
  }
}

mock_resource "aws_security_group" {
  defaults = {
    arn = "arn:aws:ec2:us-east-1:123456789012:security-group/sg-0mock"
  }
}

mock_resource "aws_vpc_endpoint" {
  defaults = {
    prefix_list_id = "pl-0mock"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn       = "arn:aws:iam::123456789012:role/mock"
    unique_id = "AROAMOCKMOCKMOCKMOCK"
  }
}

mock_resource "aws_sns_topic" {
  defaults = {
    arn = "arn:aws:sns:us-east-1:123456789012:mock"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    key_id = "00000000-0000-0000-0000-000000000000"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:mock"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn = "arn:aws:s3:::mock"
  }
}

mock_resource "aws_s3_object" {
  defaults = {
    version_id = "version-of-the-object"
  }
}

mock_resource "aws_redshift_cluster" {
  defaults = {
    arn                        = "arn:aws:redshift:us-east-1:123456789012:cluster:mock"
    dns_name                   = "redshift-etl.mock.us-east-1.redshift.amazonaws.com"
    master_password_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift!mock-awsuser-AbCdEf"
  }
}

mock_resource "aws_redshiftserverless_namespace" {
  defaults = {
    arn                       = "arn:aws:redshift-serverless:us-east-1:123456789012:namespace/00000000-0000-0000-0000-000000000000"
    admin_password_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift!mock-awsuser-AbCdEf"
  }
}

mock_resource "aws_redshiftserverless_workgroup" {
  defaults = {
    arn = "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/00000000-0000-0000-0000-000000000000"
    endpoint = [
      {
        address      = "redshift-etl.123456789012.us-east-1.redshift-serverless.amazonaws.com"
        port         = 5439
        vpc_endpoint = []
      }
    ]
  }
}

mock_resource "aws_glue_connection" {
  defaults = {
    arn = "arn:aws:glue:us-east-1:123456789012:connection/mock"
  }
}

mock_resource "aws_glue_job" {
  defaults = {
    arn = "arn:aws:glue:us-east-1:123456789012:job/mock"
  }
}

mock_resource "aws_quicksight_data_source" {
  defaults = {
    arn = "arn:aws:quicksight:us-east-1:123456789012:datasource/mock"
  }
}

mock_resource "aws_quicksight_data_set" {
  defaults = {
    arn = "arn:aws:quicksight:us-east-1:123456789012:dataset/mock"
  }
}

mock_resource "aws_mwaa_environment" {
  defaults = {
    webserver_url = "mock.c1.us-east-1.airflow.amazonaws.com"
  }
}
