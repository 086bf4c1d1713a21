-- Lines that the refresh date's extract delivers more than once, or without a ticket number. Ticket and
-- item id identify a line: two of them would count twice, or contradict each other, and nobody but the
-- source can say which is right. The day is refused before the fact is touched.
with variant as (
    select
        sold_date,
        sold_time,
        i_item_id,
        c_customer_id,
        cd_demo_sk,
        hd_income_band_sk,
        hd_buy_potential,
        hd_dep_count,
        hd_vehicle_count,
        ca_address_id,
        s_store_id,
        p_promo_id,
        ss_ticket_number,
        ss_quantity,
        ss_wholesale_cost,
        ss_list_price,
        ss_sales_price,
        ss_ext_discount_amt,
        ss_ext_sales_price,
        ss_ext_wholesale_cost,
        ss_ext_list_price,
        ss_ext_tax,
        ss_coupon_amt,
        ss_net_paid,
        ss_net_paid_inc_tax,
        ss_net_profit,
        count(*) as copies
    from tpcds.stg_store_sales
    where sale_date = cast(:refresh_date as date)
    group by
        sold_date, sold_time, i_item_id, c_customer_id, cd_demo_sk, hd_income_band_sk,
        hd_buy_potential, hd_dep_count, hd_vehicle_count, ca_address_id, s_store_id, p_promo_id,
        ss_ticket_number, ss_quantity, ss_wholesale_cost, ss_list_price, ss_sales_price,
        ss_ext_discount_amt, ss_ext_sales_price, ss_ext_wholesale_cost, ss_ext_list_price,
        ss_ext_tax, ss_coupon_amt, ss_net_paid, ss_net_paid_inc_tax, ss_net_profit
)

select
    ss_ticket_number,
    i_item_id,
    sum(copies) as line_count,
    case
        when ss_ticket_number is null then 'no ticket number'
        when count(*) = 1 then 'identical'
        else 'conflicting'
    end as problem
from variant
group by ss_ticket_number, i_item_id
having sum(copies) > 1 or ss_ticket_number is null;
