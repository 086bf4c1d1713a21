-- Reconciliation of the refresh date, one row per measure in which staging and fact differ.
with staged as (
    select
        count(*) as line_count,
        coalesce(sum(ss_quantity), 0) as quantity,
        coalesce(sum(ss_ext_sales_price), 0) as ext_sales,
        coalesce(sum(ss_net_paid), 0) as net_paid,
        coalesce(sum(ss_net_profit), 0) as net_profit
    from tpcds.stg_store_sales
    where sale_date = cast(:refresh_date as date)
),

loaded as (
    select
        count(*) as line_count,
        coalesce(sum(ss_quantity), 0) as quantity,
        coalesce(sum(ss_ext_sales_price), 0) as ext_sales,
        coalesce(sum(ss_net_paid), 0) as net_paid,
        coalesce(sum(ss_net_profit), 0) as net_profit
    from tpcds.store_sales
    where
        ss_sold_date_sk = (
            select t.d_date_sk from tpcds.date_dim as t
            where t.d_date = cast(:refresh_date as date)
        )
)

select
    'rows' as measure,
    cast(staged.line_count as varchar) as staging,
    cast(loaded.line_count as varchar) as fact
from staged
cross join loaded
where staged.line_count <> loaded.line_count
union all
select
    'quantity' as measure,
    cast(staged.quantity as varchar) as staging,
    cast(loaded.quantity as varchar) as fact
from staged
cross join loaded
where staged.quantity <> loaded.quantity
union all
select
    'sales' as measure,
    cast(staged.ext_sales as varchar) as staging,
    cast(loaded.ext_sales as varchar) as fact
from staged
cross join loaded
where staged.ext_sales <> loaded.ext_sales
union all
select
    'net paid' as measure,
    cast(staged.net_paid as varchar) as staging,
    cast(loaded.net_paid as varchar) as fact
from staged
cross join loaded
where staged.net_paid <> loaded.net_paid
union all
select
    'net profit' as measure,
    cast(staged.net_profit as varchar) as staging,
    cast(loaded.net_profit as varchar) as fact
from staged
cross join loaded
where staged.net_profit <> loaded.net_profit;
