-- The refresh date, if its number of lines is unusual: more than :row_count_factor times, or less than that
-- part of, the mean of the same weekday in the eight weeks before. Fewer than four such days say nothing yet.
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
        and f.ss_sold_date_sk <= (select t.d_date_sk from today as t)
    group by f.ss_sold_date_sk
),

weekday as (
    select
        count(*) as day_count,
        avg(cast(c.line_count as numeric(18, 2))) as usual_count
    from day_count as c
    cross join today
    where c.ss_sold_date_sk < today.d_date_sk and mod(today.d_date_sk - c.ss_sold_date_sk, 7) = 0
)

select
    weekday.usual_count,
    weekday.day_count as days_compared,
    cast(:row_count_factor as numeric(9, 2)) as factor,
    coalesce(c.line_count, 0) as line_count
from today
cross join weekday
left join day_count as c on today.d_date_sk = c.ss_sold_date_sk
where
    weekday.day_count >= 4
    and (
        coalesce(c.line_count, 0) > weekday.usual_count * cast(:row_count_factor as numeric(9, 2))
        or coalesce(c.line_count, 0) * cast(:row_count_factor as numeric(9, 2)) < weekday.usual_count
    );
