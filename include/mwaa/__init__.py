"""What goes to Amazon MWAA: the package that Terraform and the upload take."""
