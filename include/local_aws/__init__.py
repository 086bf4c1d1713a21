"""AWS on a laptop: moto, with a Redshift that really runs SQL in front of it (`python -m local_aws`)."""

VERSION = "0.1.0"
