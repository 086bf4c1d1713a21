-- Weekly store sales performance of a region, one row per store: the week (Monday to Sunday) of the refresh
-- date up to that date, beside the same days of the week before, as CSV with a header and as Parquet.
-- A rank change above zero is a climb; a store without sales the week before has no rank and no change.
-- The report is a temp table first: values are bound there, and UNLOAD takes its query as text.
{% set day = refresh_date(dag_run, params) %}
create temp table weekly_store_performance (
    week_start date,
    week_end date,
    region varchar(40),
    sales_rank integer,
    previous_rank integer,
    rank_change integer,
    store_id varchar(16),
    store_name varchar(50),
    city varchar(60),
    state varchar(2),
    country varchar(20),
    days integer,
    orders bigint,
    quantity bigint,
    net_sales numeric(18, 2),
    previous_net_sales numeric(18, 2),
    net_sales_change numeric(18, 2),
    net_sales_change_percent numeric(18, 2),
    net_profit numeric(18, 2)
);

insert into weekly_store_performance (
    week_start, week_end, region, sales_rank, previous_rank, rank_change, store_id, store_name, city, state,
    country, days, orders, quantity, net_sales, previous_net_sales, net_sales_change,
    net_sales_change_percent, net_profit
)
with today as (
    select
        d_date_sk as last_sk,
        d_date_sk - datediff(day, date_trunc('week', d_date), d_date) as monday_sk,
        cast(date_trunc('week', d_date) as date) as monday
    from tpcds.date_dim
    where d_date = cast(:refresh_date as date)
),

line as (
    select
        f.ss_store_sk,
        f.ss_sold_date_sk,
        f.ss_ticket_number,
        f.ss_quantity,
        f.ss_net_paid,
        f.ss_net_profit,
        case when f.ss_sold_date_sk >= today.monday_sk then 1 else 0 end as is_this_week
    from tpcds.store_sales as f
    cross join today
    where
        f.ss_sold_date_sk >= (select t.monday_sk - 7 from today as t)
        and f.ss_sold_date_sk <= (select t.last_sk from today as t)
        and (f.ss_sold_date_sk >= today.monday_sk or f.ss_sold_date_sk <= today.last_sk - 7)
),

store_week as (
    select
        r.region,
        st.s_store_id,
        st.s_store_name,
        st.s_city,
        st.s_state,
        st.s_country,
        count(distinct case when f.is_this_week = 1 then f.ss_sold_date_sk end) as days,
        count(distinct case when f.is_this_week = 1 then f.ss_ticket_number end) as orders,
        coalesce(sum(case when f.is_this_week = 1 then f.ss_quantity end), 0) as quantity,
        coalesce(sum(case when f.is_this_week = 1 then f.ss_net_paid end), 0) as net_sales,
        coalesce(sum(case when f.is_this_week = 1 then f.ss_net_profit end), 0) as net_profit,
        sum(case when f.is_this_week = 0 then coalesce(f.ss_net_paid, 0) end) as previous_net_sales
    from line as f
    inner join tpcds.store as st on f.ss_store_sk = st.s_store_sk
    inner join tpcds.country_region as r on st.s_country = r.country
    where r.region = :region
    group by r.region, st.s_store_id, st.s_store_name, st.s_city, st.s_state, st.s_country
),

ranked as (
    select
        region,
        s_store_id,
        s_store_name,
        s_city,
        s_state,
        s_country,
        days,
        orders,
        quantity,
        net_sales,
        net_profit,
        previous_net_sales,
        rank() over (order by net_sales desc, s_store_id asc) as sales_rank,
        case
            when previous_net_sales is not null
                then rank() over (order by previous_net_sales desc nulls last, s_store_id asc)
        end as previous_rank
    from store_week
)

select
    today.monday as week_start,
    cast(dateadd(day, 6, today.monday) as date) as week_end,
    w.region,
    w.sales_rank,
    w.previous_rank,
    w.previous_rank - w.sales_rank as rank_change,
    w.s_store_id as store_id,
    w.s_store_name as store_name,
    w.s_city as city,
    w.s_state as state,
    w.s_country as country,
    w.days,
    w.orders,
    w.quantity,
    w.net_sales,
    w.previous_net_sales,
    w.net_sales - w.previous_net_sales as net_sales_change,
    round(100 * (w.net_sales - w.previous_net_sales) / nullif(w.previous_net_sales, 0), 2)
        as net_sales_change_percent,
    w.net_profit
from ranked as w
cross join today;

unload ('select * from weekly_store_performance order by sales_rank')
to 's3://{{ data_bucket }}/reports/weekly_store_performance/refresh_date={{ day }}/csv/'
iam_role '{{ iam_role_arn }}'
format as csv
header
parallel off
cleanpath
encrypted auto
manifest verbose;

unload ('select * from weekly_store_performance order by sales_rank')
to 's3://{{ data_bucket }}/reports/weekly_store_performance/refresh_date={{ day }}/parquet/'
iam_role '{{ iam_role_arn }}'
format as parquet
parallel off
cleanpath
encrypted auto
manifest verbose;
