-- Daily store sales, one row per store with sales on the refresh date, as CSV with a header.
-- The report is a temp table first: values are bound there, and UNLOAD takes its query as text.
{% set day = refresh_date(dag_run, params) %}
create temp table daily_store_sales (
    sale_date date,
    store_id varchar(16),
    store_name varchar(50),
    city varchar(60),
    state varchar(2),
    country varchar(20),
    orders bigint,
    quantity bigint,
    net_sales numeric(18, 2),
    net_profit numeric(18, 2)
);

insert into daily_store_sales (
    sale_date, store_id, store_name, city, state, country, orders, quantity, net_sales, net_profit
)
select
    d.d_date as sale_date,
    st.s_store_id as store_id,
    st.s_store_name as store_name,
    st.s_city as city,
    st.s_state as state,
    st.s_country as country,
    count(distinct f.ss_ticket_number) as orders,
    sum(f.ss_quantity) as quantity,
    sum(f.ss_net_paid) as net_sales,
    sum(f.ss_net_profit) as net_profit
from tpcds.store_sales as f
inner join tpcds.date_dim as d on f.ss_sold_date_sk = d.d_date_sk
inner join tpcds.store as st on f.ss_store_sk = st.s_store_sk
where
    f.ss_sold_date_sk = (
        select t.d_date_sk from tpcds.date_dim as t
        where t.d_date = cast(:refresh_date as date)
    )
group by 1, 2, 3, 4, 5, 6;

unload ('select * from daily_store_sales order by net_sales desc, store_id')
to 's3://{{ data_bucket }}/reports/daily_store_sales/refresh_date={{ day }}/'
iam_role '{{ iam_role_arn }}'
format as csv
header
parallel off
cleanpath
manifest verbose;
