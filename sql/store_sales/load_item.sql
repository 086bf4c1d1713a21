-- item, one row per item and price (SCD type 2), valid on [i_rec_start_date, i_rec_end_date).
-- The history of every item that the day's extract names is computed anew from all its deliveries,
-- so that re-runs and days out of order end in the same history. Rows keep their surrogate keys.
-- Sales that a changed history moves to another version follow in the same transaction.
{% set day = refresh_date(dag_run, params) %}
lock tpcds.store_sales_unresolved;

insert into tpcds.item (i_item_sk, i_item_id, i_version, i_rec_start_date, i_product_name)
select
    -1 as i_item_sk,
    'UNKNOWN' as i_item_id,
    1 as i_version,
    date '1900-01-01' as i_rec_start_date,
    'Unknown' as i_product_name
where not exists (
    select 1 from tpcds.item
    where i_item_sk = -1
);

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
    i_version integer not null,
    i_rec_start_date date not null,
    i_rec_end_date date,
    i_current_price numeric(7, 2),
    i_category varchar(50),
    i_product_name varchar(50)
);

insert into item_version (
    i_item_id, i_version, i_rec_start_date, i_rec_end_date, i_current_price, i_category, i_product_name
)
-- An item named twice in one extract is taken once: the row that comes first by all its columns.
with chosen as (
    select
        s.i_item_id,
        s.extract_date,
        s.i_current_price,
        s.i_category,
        s.i_product_name,
        row_number() over (
            partition by s.i_item_id, s.extract_date
            order by s.i_current_price, s.i_category, s.i_product_name
        ) as choice
    from tpcds.stg_item as s
    inner join touched_item as t on s.i_item_id = t.i_item_id
),

delivery as (
    select
        i_item_id,
        extract_date,
        i_current_price,
        i_category,
        i_product_name,
        lag(extract_date) over (partition by i_item_id order by extract_date) as previous_date,
        lag(i_current_price) over (partition by i_item_id order by extract_date) as previous_price
    from chosen
    where choice = 1
),

-- A version starts with an item's first delivery and with every new price. DECODE takes two NULLs as equal.
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
    version_number as i_version,
    start_date as i_rec_start_date,
    lead(start_date) over (partition by i_item_id order by start_date) as i_rec_end_date,
    i_current_price,
    i_category,
    i_product_name
from latest
where recency = 1;

-- The days for which each version stands, before and after: the first one also for all days before it.
create temp table days_before (
    i_item_sk bigint not null,
    i_item_id varchar(16) not null,
    first_day date not null,
    end_day date not null
);

create temp table days_after (
    i_item_sk bigint not null,
    i_item_id varchar(16) not null,
    first_day date not null,
    end_day date not null
);

insert into days_before (i_item_sk, i_item_id, first_day, end_day)
select
    i.i_item_sk,
    i.i_item_id,
    case when i.i_version = 1 then date '1900-01-01' else i.i_rec_start_date end as first_day,
    coalesce(i.i_rec_end_date, date '9999-12-31') as end_day
from tpcds.item as i
inner join touched_item as t on i.i_item_id = t.i_item_id;

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
    i_version = v.i_version,
    i_rec_end_date = v.i_rec_end_date,
    i_current_price = v.i_current_price,
    i_category = v.i_category,
    i_product_name = v.i_product_name
from item_version as v
where item.i_item_id = v.i_item_id and item.i_rec_start_date = v.i_rec_start_date;

insert into tpcds.item (
    i_item_id, i_version, i_rec_start_date, i_rec_end_date, i_current_price, i_category, i_product_name
)
select
    v.i_item_id,
    v.i_version,
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

insert into days_after (i_item_sk, i_item_id, first_day, end_day)
select
    i.i_item_sk,
    i.i_item_id,
    case when i.i_version = 1 then date '1900-01-01' else i.i_rec_start_date end as first_day,
    coalesce(i.i_rec_end_date, date '9999-12-31') as end_day
from tpcds.item as i
inner join touched_item as t on i.i_item_id = t.i_item_id;

-- What moved: on these days (date keys, the last one excluded) another version stands for the item now,
-- or none, if a delivery took the whole item back. A price that is new today moves no earlier day.
create temp table item_move (
    old_item_sk bigint not null,
    new_item_sk bigint not null,
    first_date_sk integer not null,
    end_date_sk integer not null
);

insert into item_move (old_item_sk, new_item_sk, first_date_sk, end_date_sk)
select
    b.i_item_sk as old_item_sk,
    coalesce(a.i_item_sk, -1) as new_item_sk,
    datediff(day, date '1900-01-01', greatest(b.first_day, coalesce(a.first_day, b.first_day)))
    + 2415021 as first_date_sk,
    datediff(day, date '1900-01-01', least(b.end_day, coalesce(a.end_day, b.end_day)))
    + 2415021 as end_date_sk
from days_before as b
left join days_after as a
    on b.i_item_id = a.i_item_id and b.first_day < a.end_day and b.end_day > a.first_day
where a.i_item_sk is null or a.i_item_sk <> b.i_item_sk;

insert into tpcds.store_sales_unresolved (
    ss_sold_date_sk, ss_ticket_number, ss_item_id, dimension, business_id
)
select
    f.ss_sold_date_sk,
    f.ss_ticket_number,
    f.ss_item_id,
    'item' as dimension,
    f.ss_item_id as business_id
from tpcds.store_sales as f
inner join item_move as m on f.ss_item_sk = m.old_item_sk
where m.new_item_sk = -1;

-- A bound on the sort key beside those of the join: where Redshift applies a subquery's result as it scans,
-- it skips the blocks of earlier days. The rows are the same without it.
update tpcds.store_sales
set ss_item_sk = m.new_item_sk
from item_move as m
where
    store_sales.ss_sold_date_sk >= (select min(item_move.first_date_sk) from item_move)
    and store_sales.ss_item_sk = m.old_item_sk
    and store_sales.ss_sold_date_sk >= m.first_date_sk
    and store_sales.ss_sold_date_sk < m.end_date_sk;
