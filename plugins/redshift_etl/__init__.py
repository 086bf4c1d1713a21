"""What the pipelines' DAGs import: settings, operators, triggers and sensors for Amazon Redshift."""
