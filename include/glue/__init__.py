"""What AWS Glue executes, a job's script and the wheel it imports: Python 3.9, as in Glue's Python shell."""
