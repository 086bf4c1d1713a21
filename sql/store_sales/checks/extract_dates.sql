-- Lines of the refresh date's extract that were sold on another day, or on none: counted by that day.
-- The fact replaces one day by its date; a line of another day would be loaded twice or lost. The day is
-- refused before the fact is touched.
select
    sold_date,
    count(*) as line_count,
    min(ss_ticket_number) as first_ticket_number
from tpcds.stg_store_sales
where
    sale_date = cast(:refresh_date as date)
    and (sold_date is null or sold_date <> cast(:refresh_date as date))
group by sold_date;
