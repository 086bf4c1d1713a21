-- The refresh date, if its extract has an unusual number of lines: more than :row_count_factor times, or
-- less than that part of, the mean of the same weekday in the fact's eight weeks before. Fewer than four such
-- days say nothing yet. The day is refused before the fact is touched.
with today as (
    select d_date_sk from tpcds.date_dim
    where d_date = cast(:refresh_date as date)
),

day_count as (
    select
        f.ss_sold_date_sk,
        count(*) as line_count
    from tpcds.store_sales as f
    where
        f.ss_sold_date_sk >= (select t.d_date_sk - 56 from today as t)
        and f.ss_sold_date_sk < (select t.d_date_sk from today as t)
    group by f.ss_sold_date_sk
),

weekday as (
    select
        count(*) as day_count,
        avg(cast(c.line_count as numeric(18, 2))) as usual_count
    from day_count as c
    cross join today
    where mod(today.d_date_sk - c.ss_sold_date_sk, 7) = 0
),

staged as (
    select count(*) as line_count
    from tpcds.stg_store_sales
    where sale_date = cast(:refresh_date as date)
)

select
    weekday.usual_count,
    weekday.day_count as days_compared,
    cast(:row_count_factor as numeric(9, 2)) as factor,
    staged.line_count
from weekday
cross join staged
where
    weekday.day_count >= 4
    and (
        staged.line_count > weekday.usual_count * cast(:row_count_factor as numeric(9, 2))
        or staged.line_count * cast(:row_count_factor as numeric(9, 2)) < weekday.usual_count
    );
