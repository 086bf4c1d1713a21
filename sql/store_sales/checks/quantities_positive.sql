-- Lines of the refresh date whose quantity is zero or negative. The source leaves some quantities empty:
-- those are unknown, not wrong.
select
    ss_ticket_number,
    ss_item_id,
    ss_quantity
from tpcds.store_sales
where
    ss_sold_date_sk = (
        select t.d_date_sk from tpcds.date_dim as t
        where t.d_date = cast(:refresh_date as date)
    )
    and ss_quantity <= 0;
