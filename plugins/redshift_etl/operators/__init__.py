"""Operators that run `.sql` files on Amazon Redshift."""
