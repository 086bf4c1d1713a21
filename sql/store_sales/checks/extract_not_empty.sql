-- The refresh date, if its extract holds no line: no sales at all means a lost extract. The day is refused
-- before the fact is touched.
with staged as (
    select count(*) as line_count
    from tpcds.stg_store_sales
    where sale_date = cast(:refresh_date as date)
)

select
    cast(:refresh_date as date) as refresh_date,
    line_count
from staged
where line_count = 0;
