-- Lines of the refresh date's extract that were sold on another day, on none, or on a day that the calendar
-- does not hold: counted by that day. The fact replaces one day by its date; such a line would be loaded
-- twice or lost. The day is refused before the fact is touched.
select
    s.sold_date,
    case
        when s.sold_date is null then 'no day'
        when s.sold_date <> cast(:refresh_date as date) then 'another day'
        else 'not in the calendar'
    end as problem,
    count(*) as line_count,
    min(s.ss_ticket_number) as first_ticket_number
from tpcds.stg_store_sales as s
left join tpcds.date_dim as d on s.sold_date = d.d_date
where
    s.sale_date = cast(:refresh_date as date)
    and (s.sold_date is null or s.sold_date <> cast(:refresh_date as date) or d.d_date_sk is null)
group by s.sold_date;
