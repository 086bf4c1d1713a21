-- Lines of the refresh date's extract whose quantity is zero or negative. The source leaves some quantities
-- empty: those are unknown, not wrong. The day is refused before the fact is touched.
select
    ss_ticket_number,
    i_item_id,
    ss_quantity
from tpcds.stg_store_sales
where
    sale_date = cast(:refresh_date as date)
    and ss_quantity <= 0;
