"""The source systems of the pipelines: data sets as they would be delivered to S3, made on this machine.

``python -m datasets --help`` is the command. From Python, make the files with
`datasets.store_sales.deliver`, then hand them to `datasets.delivery.upload` (S3) or
`datasets.delivery.copy_to` (a folder).
"""
