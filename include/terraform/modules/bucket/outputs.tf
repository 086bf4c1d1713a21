output "name" {
  description = "The bucket's name, known once the bucket may be used."
  value       = aws_s3_bucket.this.bucket

  # Objects need versioning for their version id, and the policy for their safety.
  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_policy.this, aws_s3_bucket_server_side_encryption_configuration.this]
}

output "arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.this.arn
}
