"""Redshift's own port: the PostgreSQL protocol 3, for redshift_connector, psycopg, psql and the like."""
