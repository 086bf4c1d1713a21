"""`python healthy.py COMPONENT`: a container's health check; fails unless Airflow says the component is well.

One question to the API server costs milliseconds; `airflow jobs check` costs seconds of a core, each time.
"""

import json
import sys
import urllib.request

HEALTH = "http://api-server:8080/api/v2/monitor/health"

with urllib.request.urlopen(HEALTH, timeout=5) as answer:
    status = json.load(answer)[sys.argv[1]]["status"]
sys.stdout.write(f"{sys.argv[1]} is {status}\n")
sys.exit(status != "healthy")
