-- store, one row per store (SCD type 1): the day's extract over what is there.
-- A row that a later extract has already set is left alone, so days may run in any order. A member that
-- an extract delivered again leaves out stays as it is: type 1 keeps nothing to go back to.
{% set day = refresh_date(dag_run, params) %}
lock tpcds.store_lock;

insert into tpcds.store (s_store_sk, s_store_id, s_store_name, s_extract_date)
select
    -1 as s_store_sk,
    'UNKNOWN' as s_store_id,
    'Unknown' as s_store_name,
    date '1900-01-01' as s_extract_date
where not exists (
    select 1 from tpcds.store
    where s_store_sk = -1
);

create temp table extracted_store (
    s_store_id varchar(16) not null,
    s_store_name varchar(50),
    s_number_employees integer,
    s_floor_space integer,
    s_manager varchar(40),
    s_market_id integer,
    s_division_name varchar(50),
    s_company_name varchar(50),
    s_city varchar(60),
    s_county varchar(30),
    s_state varchar(2),
    s_zip varchar(10),
    s_country varchar(20),
    s_gmt_offset numeric(5, 2),
    s_tax_precentage numeric(5, 2)
);

copy extracted_store
from 's3://{{ data_bucket }}/raw/store/extract_date={{ day }}/'
iam_role '{{ iam_role_arn }}'
format as parquet;

-- A member named twice in one extract is taken once: the row that comes first by all its columns.
create temp table delivered_store as
select
    s_store_id,
    s_store_name,
    s_number_employees,
    s_floor_space,
    s_manager,
    s_market_id,
    s_division_name,
    s_company_name,
    s_city,
    s_county,
    s_state,
    s_zip,
    s_country,
    s_gmt_offset,
    s_tax_precentage
from (
    select
        s_store_id,
        s_store_name,
        s_number_employees,
        s_floor_space,
        s_manager,
        s_market_id,
        s_division_name,
        s_company_name,
        s_city,
        s_county,
        s_state,
        s_zip,
        s_country,
        s_gmt_offset,
        s_tax_precentage,
        row_number() over (
            partition by s_store_id
            order by
                s_store_name, s_number_employees, s_floor_space, s_manager, s_market_id, s_division_name,
                s_company_name, s_city, s_county, s_state, s_zip, s_country, s_gmt_offset,
                s_tax_precentage
        ) as choice
    from extracted_store
) as ranked
where choice = 1;

update tpcds.store
set
    s_store_name = delivered.s_store_name,
    s_number_employees = delivered.s_number_employees,
    s_floor_space = delivered.s_floor_space,
    s_manager = delivered.s_manager,
    s_market_id = delivered.s_market_id,
    s_division_name = delivered.s_division_name,
    s_company_name = delivered.s_company_name,
    s_city = delivered.s_city,
    s_county = delivered.s_county,
    s_state = delivered.s_state,
    s_zip = delivered.s_zip,
    s_country = delivered.s_country,
    s_gmt_offset = delivered.s_gmt_offset,
    s_tax_precentage = delivered.s_tax_precentage,
    s_extract_date = cast(:refresh_date as date)
from delivered_store as delivered
where
    store.s_store_id = delivered.s_store_id
    and store.s_extract_date <= cast(:refresh_date as date);

insert into tpcds.store (
    s_store_id, s_store_name, s_number_employees, s_floor_space, s_manager, s_market_id,
    s_division_name, s_company_name, s_city, s_county, s_state, s_zip, s_country, s_gmt_offset,
    s_tax_precentage, s_extract_date
)
select
    delivered.s_store_id,
    delivered.s_store_name,
    delivered.s_number_employees,
    delivered.s_floor_space,
    delivered.s_manager,
    delivered.s_market_id,
    delivered.s_division_name,
    delivered.s_company_name,
    delivered.s_city,
    delivered.s_county,
    delivered.s_state,
    delivered.s_zip,
    delivered.s_country,
    delivered.s_gmt_offset,
    delivered.s_tax_precentage,
    cast(:refresh_date as date) as s_extract_date
from delivered_store as delivered
where not exists (
    select 1 from tpcds.store as known
    where known.s_store_id = delivered.s_store_id
);
