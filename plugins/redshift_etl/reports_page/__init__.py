"""The Reports page in Airflow's web UI: what the pipelines UNLOADed, how fresh it is, how the runs went."""
