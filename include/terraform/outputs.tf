output "airflow_settings" {
  description = "The section [redshift_etl] of Airflow's configuration, key by key as in plugins/redshift_etl/settings.py; null is not set."
  value       = local.airflow_settings
}

output "airflow_configuration_options" {
  description = "All of Airflow's configuration that the environment gets."
  value       = local.airflow_configuration_options
}

output "env_file" {
  description = "The settings as an env file, for docker-compose.aws.yaml: what is not set is set to nothing."
  value = join("\n", concat(
    ["AWS_DEFAULT_REGION=${var.region}"],
    [for key, value in local.airflow_settings : "AIRFLOW__REDSHIFT_ETL__${upper(key)}=${value == null ? "" : value}"],
  ))
}

output "account_id" {
  description = "The AWS account."
  value       = local.account_id
}

output "region" {
  description = "The AWS region."
  value       = var.region
}

output "bucket_names" {
  description = "Names of the buckets: data, scripts, airflow and logs."
  value       = merge({ for purpose, bucket in module.bucket : purpose => bucket.name }, { logs = module.logs_bucket.name })
}

output "database_name" {
  description = "The warehouse's database."
  value       = var.database
}

output "warehouse_arn" {
  description = "ARN of the cluster or workgroup."
  value       = local.warehouse_arn
}

output "warehouse_host" {
  description = "Host name of the cluster or workgroup inside the VPC."
  value       = local.warehouse_host
}

output "warehouse_port" {
  description = "Port of the cluster or workgroup."
  value       = var.redshift_port
}

output "secret_arn" {
  description = "ARN of the secret with the superuser's name and password, which Redshift keeps and rotates."
  value       = local.secret_arn
}

output "role_arns" {
  description = "ARNs of the roles: airflow, glue and warehouse."
  value = {
    airflow   = aws_iam_role.airflow.arn
    glue      = aws_iam_role.glue.arn
    warehouse = aws_iam_role.warehouse.arn
  }
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts everything."
  value       = aws_kms_key.this.arn
}

output "catalog_database_names" {
  description = "Databases of the Glue catalog."
  value       = [for database in aws_glue_catalog_database.this : database.name]
}

output "glue_job_name" {
  description = "The Glue job of the reviews pipeline."
  value       = aws_glue_job.reviews_etl.name
}

output "glue_connection_name" {
  description = "The Glue connection into the VPC."
  value       = aws_glue_connection.warehouse.name
}

output "sns_topic_arn" {
  description = "ARN of the topic that alarms and failed runs go to."
  value       = aws_sns_topic.alerts.arn
}

output "mwaa_environment_name" {
  description = "Name of the Airflow environment; null without one."
  value       = one(aws_mwaa_environment.this[*].name)
}

output "mwaa_webserver_url" {
  description = "Address of Airflow's web UI; null without one."
  value       = one([for url in aws_mwaa_environment.this[*].webserver_url : "https://${url}"])
}

output "airflow_security_group_id" {
  description = "The security group of Airflow and of its private web UI, for a rule of your own."
  value       = aws_security_group.airflow.id
}

output "dags_s3_uri" {
  description = "Where the deployment puts the DAGs and the SQL."
  value       = "s3://${module.bucket["airflow"].name}/dags/"
}

output "quicksight_data_set_id" {
  description = "QuickSight data set of the top reviews; null without one."
  value       = one(aws_quicksight_data_set.top_reviews[*].data_set_id)
}

output "quicksight_manifest_key" {
  description = "Key in the data bucket of the manifest that the QuickSight data source reads."
  value       = local.top_reviews_manifest
}

output "nat_public_ips" {
  description = "Addresses from which the private subnets reach the internet, for somebody else's allow list."
  value       = [for address in aws_eip.nat : address.public_ip]
}

output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Ids of the subnets by name."
  value       = { for name, subnet in merge(aws_subnet.public, aws_subnet.private) : name => subnet.id }
}
