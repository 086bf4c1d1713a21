-- item, one row per item and price (SCD type 2), valid on [i_rec_start_date, i_rec_end_date).
-- The history of every item that the day's extract names is computed anew from all its deliveries,
-- so that re-runs and days out of order end in the same history. Rows keep their surrogate keys.
{% set day = refresh_date(dag_run, params) %}
create temp table delivered_item (
    i_item_id varchar(16) not null,
    i_current_price numeric(7, 2),
    i_category varchar(50),
    i_product_name varchar(50)
);

copy delivered_item
from 's3://{{ data_bucket }}/raw/item/extract_date={{ day }}/'
iam_role '{{ iam_role_arn }}'
format as parquet;

-- Items of an earlier delivery of the same day count too: this one replaces it.
create temp table touched_item (i_item_id varchar(16) not null);

insert into touched_item (i_item_id)
select i_item_id from tpcds.stg_item
where extract_date = cast(:refresh_date as date)
union
select i_item_id from delivered_item;

delete from tpcds.stg_item
where extract_date = cast(:refresh_date as date);

insert into tpcds.stg_item (extract_date, i_item_id, i_current_price, i_category, i_product_name)
select
    cast(:refresh_date as date) as extract_date,
    i_item_id,
    i_current_price,
    i_category,
    i_product_name
from delivered_item;

create temp table item_version (
    i_item_id varchar(16) not null,
    i_rec_start_date date not null,
    i_rec_end_date date,
    i_current_price numeric(7, 2),
    i_category varchar(50),
    i_product_name varchar(50)
);

insert into item_version (
    i_item_id, i_rec_start_date, i_rec_end_date, i_current_price, i_category, i_product_name
)
with delivery as (
    select
        s.i_item_id,
        s.extract_date,
        s.i_current_price,
        s.i_category,
        s.i_product_name,
        lag(s.extract_date) over (partition by s.i_item_id order by s.extract_date) as previous_date,
        lag(s.i_current_price) over (partition by s.i_item_id order by s.extract_date) as previous_price
    from tpcds.stg_item as s
    inner join touched_item as t on s.i_item_id = t.i_item_id
),

-- A version starts with an item's first delivery and with every new price.
numbered as (
    select
        i_item_id,
        extract_date,
        i_current_price,
        i_category,
        i_product_name,
        sum(
            case when previous_date is null then 1 else decode(i_current_price, previous_price, 0, 1) end
        ) over (partition by i_item_id order by extract_date rows unbounded preceding) as version_number
    from delivery
),

-- Category and name of a version are those of its last delivery (type 1 within the version).
latest as (
    select
        i_item_id,
        version_number,
        i_current_price,
        i_category,
        i_product_name,
        min(extract_date) over (partition by i_item_id, version_number) as start_date,
        row_number() over (partition by i_item_id, version_number order by extract_date desc) as recency
    from numbered
)

select
    i_item_id,
    start_date as i_rec_start_date,
    lead(start_date) over (partition by i_item_id order by start_date) as i_rec_end_date,
    i_current_price,
    i_category,
    i_product_name
from latest
where recency = 1;

delete from tpcds.item
using touched_item
where
    item.i_item_id = touched_item.i_item_id
    and not exists (
        select 1 from item_version as v
        where v.i_item_id = item.i_item_id and v.i_rec_start_date = item.i_rec_start_date
    );

update tpcds.item
set
    i_rec_end_date = v.i_rec_end_date,
    i_current_price = v.i_current_price,
    i_category = v.i_category,
    i_product_name = v.i_product_name
from item_version as v
where item.i_item_id = v.i_item_id and item.i_rec_start_date = v.i_rec_start_date;

insert into tpcds.item (
    i_item_id, i_rec_start_date, i_rec_end_date, i_current_price, i_category, i_product_name
)
select
    v.i_item_id,
    v.i_rec_start_date,
    v.i_rec_end_date,
    v.i_current_price,
    v.i_category,
    v.i_product_name
from item_version as v
where not exists (
    select 1 from tpcds.item as known
    where known.i_item_id = v.i_item_id and known.i_rec_start_date = v.i_rec_start_date
);
