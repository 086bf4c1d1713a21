-- Store reconciliation of the refresh date, one row per store: what the source delivered for it beside what
-- the fact holds, as CSV with a header and as Parquet. Sales without a known store are those of UNKNOWN.
-- The report is a temp table first: values are bound there, and UNLOAD takes its query as text.
-- Staging is kept for seven days: for a day that has left it, this fails with a NULL in day_still_staged and
-- leaves the report that is there. Clear such a run from register_partition on.
{% set day = refresh_date(dag_run, params) %}
create temp table required_day (day_still_staged date not null);

insert into required_day (day_still_staged)
select case when count(*) = 0 then cast(:refresh_date as date) end as day_still_staged
from tpcds.stg_store_sales_purged
where sale_date = cast(:refresh_date as date);

create temp table store_reconciliation (
    sale_date date,
    store_id varchar(16),
    store_name varchar(50),
    city varchar(60),
    state varchar(2),
    country varchar(20),
    orders bigint,
    staged_lines bigint,
    loaded_lines bigint,
    staged_quantity bigint,
    loaded_quantity bigint,
    staged_net_sales numeric(18, 2),
    loaded_net_sales numeric(18, 2),
    status varchar(9)
);

insert into store_reconciliation (
    sale_date, store_id, store_name, city, state, country, orders, staged_lines, loaded_lines,
    staged_quantity, loaded_quantity, staged_net_sales, loaded_net_sales, status
)
with staged as (
    select
        coalesce(st.s_store_sk, -1) as store_sk,
        count(*) as line_count,
        coalesce(sum(s.ss_quantity), 0) as quantity,
        coalesce(sum(s.ss_net_paid), 0) as net_sales
    from tpcds.stg_store_sales as s
    left join tpcds.store as st on s.s_store_id = st.s_store_id
    where s.sale_date = cast(:refresh_date as date)
    group by coalesce(st.s_store_sk, -1)
),

loaded as (
    select
        ss_store_sk as store_sk,
        count(distinct ss_ticket_number) as orders,
        count(*) as line_count,
        coalesce(sum(ss_quantity), 0) as quantity,
        coalesce(sum(ss_net_paid), 0) as net_sales
    from tpcds.store_sales
    where
        ss_sold_date_sk = (
            select t.d_date_sk from tpcds.date_dim as t
            where t.d_date = cast(:refresh_date as date)
        )
    group by ss_store_sk
),

compared as (
    select
        coalesce(s.store_sk, l.store_sk) as store_sk,
        coalesce(l.orders, 0) as orders,
        coalesce(s.line_count, 0) as staged_lines,
        coalesce(l.line_count, 0) as loaded_lines,
        coalesce(s.quantity, 0) as staged_quantity,
        coalesce(l.quantity, 0) as loaded_quantity,
        coalesce(s.net_sales, 0) as staged_net_sales,
        coalesce(l.net_sales, 0) as loaded_net_sales
    from staged as s
    full outer join loaded as l on s.store_sk = l.store_sk
)

select
    cast(:refresh_date as date) as sale_date,
    st.s_store_id as store_id,
    st.s_store_name as store_name,
    st.s_city as city,
    st.s_state as state,
    st.s_country as country,
    c.orders,
    c.staged_lines,
    c.loaded_lines,
    c.staged_quantity,
    c.loaded_quantity,
    c.staged_net_sales,
    c.loaded_net_sales,
    case
        when
            c.staged_lines = c.loaded_lines
            and c.staged_quantity = c.loaded_quantity
            and c.staged_net_sales = c.loaded_net_sales
            then 'equal'
        else 'different'
    end as status
from compared as c
inner join tpcds.store as st on c.store_sk = st.s_store_sk;

unload ('select * from store_reconciliation order by loaded_net_sales desc, store_id')
to 's3://{{ data_bucket }}/reports/store_reconciliation/refresh_date={{ day }}/csv/'
iam_role '{{ iam_role_arn }}'
format as csv
header
parallel off
cleanpath
encrypted auto
manifest verbose;

unload ('select * from store_reconciliation order by loaded_net_sales desc, store_id')
to 's3://{{ data_bucket }}/reports/store_reconciliation/refresh_date={{ day }}/parquet/'
iam_role '{{ iam_role_arn }}'
format as parquet
parallel off
cleanpath
encrypted auto
manifest verbose;
