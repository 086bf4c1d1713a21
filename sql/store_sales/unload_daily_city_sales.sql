-- Daily total orders and sales of all stores of a city, one row per day: the seven days up to the refresh
-- date, as CSV with a header and as Parquet. A day without sales is there with zeros.
-- The report is a temp table first: values are bound there, and UNLOAD takes its query as text.
{% set day = refresh_date(dag_run, params) %}
create temp table daily_city_sales (
    sale_date date,
    city varchar(60),
    state varchar(2),
    stores bigint,
    orders bigint,
    quantity bigint,
    net_sales numeric(18, 2),
    net_profit numeric(18, 2)
);

insert into daily_city_sales (
    sale_date, city, state, stores, orders, quantity, net_sales, net_profit
)
with today as (
    select d_date_sk from tpcds.date_dim
    where d_date = cast(:refresh_date as date)
),

city_day as (
    select
        f.ss_sold_date_sk,
        count(distinct f.ss_store_sk) as stores,
        count(distinct f.ss_ticket_number) as orders,
        sum(f.ss_quantity) as quantity,
        sum(f.ss_net_paid) as net_sales,
        sum(f.ss_net_profit) as net_profit
    from tpcds.store_sales as f
    inner join tpcds.store as st on f.ss_store_sk = st.s_store_sk
    where
        f.ss_sold_date_sk >= (select t.d_date_sk - 6 from today as t)
        and f.ss_sold_date_sk <= (select t.d_date_sk from today as t)
        and st.s_city = :city
        and st.s_state = :state
    group by f.ss_sold_date_sk
)

select
    d.d_date as sale_date,
    cast(:city as varchar(60)) as city,
    cast(:state as varchar(2)) as state,
    coalesce(c.stores, 0) as stores,
    coalesce(c.orders, 0) as orders,
    coalesce(c.quantity, 0) as quantity,
    coalesce(c.net_sales, 0) as net_sales,
    coalesce(c.net_profit, 0) as net_profit
from tpcds.date_dim as d
cross join today
left join city_day as c on d.d_date_sk = c.ss_sold_date_sk
where d.d_date_sk between today.d_date_sk - 6 and today.d_date_sk;

unload ('select * from daily_city_sales order by sale_date desc')
to 's3://{{ data_bucket }}/reports/daily_city_sales/refresh_date={{ day }}/csv/'
iam_role '{{ iam_role_arn }}'
format as csv
header
parallel off
cleanpath
encrypted auto
manifest verbose;

unload ('select * from daily_city_sales order by sale_date desc')
to 's3://{{ data_bucket }}/reports/daily_city_sales/refresh_date={{ day }}/parquet/'
iam_role '{{ iam_role_arn }}'
format as parquet
parallel off
cleanpath
encrypted auto
manifest verbose;
