-- What a run's statements did, one row each, from the list that the task has written to S3.
-- Safe to repeat: the run's rows are replaced by those known before together with those found now.
{% set list = dag_run.dag_id ~ '/' ~ dag_run.run_id ~ '.json' %}
create schema if not exists etl_audit;

create table if not exists etl_audit.statement_runs (
    dag_id varchar(250) not null encode zstd,
    run_id varchar(250) not null encode zstd,
    task_id varchar(250) not null encode zstd,
    -- 1 for what the task submitted first in this run, 2 for what it submitted after a failure or a clear.
    attempt integer not null encode az64,
    statement_number integer not null encode az64,
    statement_id varchar(100) not null encode zstd,
    query_id bigint encode az64,
    database_user varchar(128) encode zstd,
    file varchar(500) encode zstd,
    row_count bigint encode az64,
    byte_count bigint encode az64,
    duration_seconds numeric(18, 3) encode az64,
    status varchar(20) not null encode zstd,
    error varchar(4000) encode zstd,
    statement varchar(1000) encode zstd,
    submitted_at timestamp not null encode raw,
    primary key (statement_id)
)
diststyle auto
sortkey (submitted_at);

create temp table found_statements (
    dag_id varchar(250),
    run_id varchar(250),
    task_id varchar(250),
    statement_number integer,
    statement_id varchar(100),
    query_id bigint,
    database_user varchar(128),
    file varchar(500),
    row_count bigint,
    byte_count bigint,
    duration_seconds numeric(18, 3),
    status varchar(20),
    error varchar(4000),
    statement varchar(1000),
    submitted_at timestamp
);

copy found_statements
from 's3://{{ data_bucket }}/audit/statement_runs/{{ list }}'
iam_role '{{ iam_role_arn }}'
format as json 'auto'
timeformat 'auto'
truncatecolumns;

-- The Data API forgets after 24 hours; a task cleared later must not lose what the run did before.
insert into found_statements (
    dag_id, run_id, task_id, statement_number, statement_id, query_id, database_user, file,
    row_count, byte_count, duration_seconds, status, error, statement, submitted_at
)
select
    known.dag_id,
    known.run_id,
    known.task_id,
    known.statement_number,
    known.statement_id,
    known.query_id,
    known.database_user,
    known.file,
    known.row_count,
    known.byte_count,
    known.duration_seconds,
    known.status,
    known.error,
    known.statement,
    known.submitted_at
from etl_audit.statement_runs as known
left join found_statements as found on known.statement_id = found.statement_id
where known.dag_id = :dag_id and known.run_id = :run_id and found.statement_id is null;

delete from etl_audit.statement_runs
where dag_id = :dag_id and run_id = :run_id;

insert into etl_audit.statement_runs (
    dag_id, run_id, task_id, attempt, statement_number, statement_id, query_id, database_user, file,
    row_count, byte_count, duration_seconds, status, error, statement, submitted_at
)
select
    dag_id,
    run_id,
    task_id,
    dense_rank() over (
        partition by task_id, file
        order by submitted_at
    ) as attempt,
    statement_number,
    statement_id,
    query_id,
    database_user,
    file,
    row_count,
    byte_count,
    duration_seconds,
    status,
    error,
    statement,
    submitted_at
from found_statements;
