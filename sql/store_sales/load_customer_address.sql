-- customer_address, one row per address (SCD type 1): the day's extract over what is there.
-- A row that a later extract has already set is left alone, so days may run in any order. A member that
-- an extract delivered again leaves out stays as it is: type 1 keeps nothing to go back to.
{% set day = refresh_date(dag_run, params) %}
lock tpcds.customer_address_lock;

insert into tpcds.customer_address (ca_address_sk, ca_address_id, ca_city, ca_extract_date)
select
    -1 as ca_address_sk,
    'UNKNOWN' as ca_address_id,
    'Unknown' as ca_city,
    date '1900-01-01' as ca_extract_date
where not exists (
    select 1 from tpcds.customer_address
    where ca_address_sk = -1
);

create temp table extracted_address (
    ca_address_id varchar(16) not null,
    ca_city varchar(60),
    ca_state varchar(2),
    ca_zip varchar(10),
    ca_country varchar(20)
);

copy extracted_address
from 's3://{{ data_bucket }}/raw/customer_address/extract_date={{ day }}/'
iam_role '{{ iam_role_arn }}'
format as parquet;

-- A member named twice in one extract is taken once: the row that comes first by all its columns.
create temp table delivered_address as
select
    ca_address_id,
    ca_city,
    ca_state,
    ca_zip,
    ca_country
from (
    select
        ca_address_id,
        ca_city,
        ca_state,
        ca_zip,
        ca_country,
        row_number() over (
            partition by ca_address_id
            order by
                ca_city, ca_state, ca_zip, ca_country
        ) as choice
    from extracted_address
) as ranked
where choice = 1;

update tpcds.customer_address
set
    ca_city = delivered.ca_city,
    ca_state = delivered.ca_state,
    ca_zip = delivered.ca_zip,
    ca_country = delivered.ca_country,
    ca_extract_date = cast(:refresh_date as date)
from delivered_address as delivered
where
    customer_address.ca_address_id = delivered.ca_address_id
    and customer_address.ca_extract_date <= cast(:refresh_date as date);

insert into tpcds.customer_address (ca_address_id, ca_city, ca_state, ca_zip, ca_country, ca_extract_date)
select
    delivered.ca_address_id,
    delivered.ca_city,
    delivered.ca_state,
    delivered.ca_zip,
    delivered.ca_country,
    cast(:refresh_date as date) as ca_extract_date
from delivered_address as delivered
where not exists (
    select 1 from tpcds.customer_address as known
    where known.ca_address_id = delivered.ca_address_id
);
