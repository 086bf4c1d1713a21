"""The Redshift Data API (version 2019-12-20), with statements that really run."""
