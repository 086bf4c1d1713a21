FROM stand-in/python:3.12
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends postgresql-15 >/dev/null \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres.sh /usr/local/bin/postgres.sh
RUN install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data /var/run/postgresql
USER postgres
ENTRYPOINT ["sh", "/usr/local/bin/postgres.sh"]
