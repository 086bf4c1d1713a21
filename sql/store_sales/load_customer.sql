-- customer, one row per customer (SCD type 1): the day's extract over what is there.
-- A row that a later extract has already set is left alone, so days may run in any order. A member that
-- an extract delivered again leaves out stays as it is: type 1 keeps nothing to go back to.
{% set day = refresh_date(dag_run, params) %}
lock tpcds.customer_lock;

insert into tpcds.customer (c_customer_sk, c_customer_id, c_last_name, c_extract_date)
select
    -1 as c_customer_sk,
    'UNKNOWN' as c_customer_id,
    'Unknown' as c_last_name,
    date '1900-01-01' as c_extract_date
where not exists (
    select 1 from tpcds.customer
    where c_customer_sk = -1
);

create temp table extracted_customer (
    c_customer_id varchar(16) not null,
    c_current_addr_id varchar(16),
    c_first_name varchar(20),
    c_last_name varchar(30)
);

copy extracted_customer
from 's3://{{ data_bucket }}/raw/customer/extract_date={{ day }}/'
iam_role '{{ iam_role_arn }}'
format as parquet;

-- A member named twice in one extract is taken once: the row that comes first by all its columns.
create temp table delivered_customer as
select
    c_customer_id,
    c_current_addr_id,
    c_first_name,
    c_last_name
from (
    select
        c_customer_id,
        c_current_addr_id,
        c_first_name,
        c_last_name,
        row_number() over (
            partition by c_customer_id
            order by
                c_current_addr_id, c_first_name, c_last_name
        ) as choice
    from extracted_customer
) as ranked
where choice = 1;

update tpcds.customer
set
    c_current_addr_id = delivered.c_current_addr_id,
    c_first_name = delivered.c_first_name,
    c_last_name = delivered.c_last_name,
    c_extract_date = cast(:refresh_date as date)
from delivered_customer as delivered
where
    customer.c_customer_id = delivered.c_customer_id
    and customer.c_extract_date <= cast(:refresh_date as date);

insert into tpcds.customer (c_customer_id, c_current_addr_id, c_first_name, c_last_name, c_extract_date)
select
    delivered.c_customer_id,
    delivered.c_current_addr_id,
    delivered.c_first_name,
    delivered.c_last_name,
    cast(:refresh_date as date) as c_extract_date
from delivered_customer as delivered
where not exists (
    select 1 from tpcds.customer as known
    where known.c_customer_id = delivered.c_customer_id
);
