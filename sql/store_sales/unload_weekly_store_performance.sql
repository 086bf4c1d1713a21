-- Weekly store sales performance of a region, one row per store: the week (Monday to Sunday) of the
-- refresh date, up to that date, as CSV with a header.
-- The report is a temp table first: values are bound there, and UNLOAD takes its query as text.
{% set day = refresh_date(dag_run, params) %}
create temp table weekly_store_performance (
    week_start date,
    week_end date,
    region varchar(40),
    sales_rank integer,
    store_id varchar(16),
    store_name varchar(50),
    city varchar(60),
    state varchar(2),
    country varchar(20),
    days integer,
    orders bigint,
    quantity bigint,
    net_sales numeric(18, 2),
    net_profit numeric(18, 2)
);

insert into weekly_store_performance (
    week_start, week_end, region, sales_rank, store_id, store_name, city, state, country, days,
    orders, quantity, net_sales, net_profit
)
with store_week as (
    select
        r.region,
        st.s_store_id,
        st.s_store_name,
        st.s_city,
        st.s_state,
        st.s_country,
        count(distinct f.ss_sold_date_sk) as days,
        count(distinct f.ss_ticket_number) as orders,
        sum(f.ss_quantity) as quantity,
        sum(f.ss_net_paid) as net_sales,
        sum(f.ss_net_profit) as net_profit
    from tpcds.store_sales as f
    inner join tpcds.date_dim as d on f.ss_sold_date_sk = d.d_date_sk
    inner join tpcds.store as st on f.ss_store_sk = st.s_store_sk
    inner join tpcds.country_region as r on st.s_country = r.country
    where
        f.ss_sold_date_sk between
        (
            select t.d_date_sk from tpcds.date_dim as t
            where t.d_date = date_trunc('week', cast(:refresh_date as date))
        )
        and (
            select t.d_date_sk from tpcds.date_dim as t
            where t.d_date = cast(:refresh_date as date)
        )
        and r.region = :region
    group by 1, 2, 3, 4, 5, 6
)

select
    cast(date_trunc('week', cast(:refresh_date as date)) as date) as week_start,
    cast(dateadd(day, 6, date_trunc('week', cast(:refresh_date as date))) as date) as week_end,
    region,
    rank() over (order by net_sales desc, s_store_id asc) as sales_rank,
    s_store_id as store_id,
    s_store_name as store_name,
    s_city as city,
    s_state as state,
    s_country as country,
    days,
    orders,
    quantity,
    net_sales,
    net_profit
from store_week;

unload ('select * from weekly_store_performance order by sales_rank')
to 's3://{{ data_bucket }}/reports/weekly_store_performance/refresh_date={{ day }}/'
iam_role '{{ iam_role_arn }}'
format as csv
header
parallel off
cleanpath
manifest verbose;
