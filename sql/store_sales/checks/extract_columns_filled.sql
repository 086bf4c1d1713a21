-- Columns that are empty in more than half of the lines of the refresh date's extract: the source has stopped
-- filling them. TPC-DS leaves a few per cent empty, some for a whole ticket, so fewer than ten tickets say
-- nothing. The day is refused before the fact is touched.
with filled as (
    select
        count(*) as line_count,
        count(distinct ss_ticket_number) as ticket_count,
        count(sold_time) as sold_time,
        count(i_item_id) as i_item_id,
        count(c_customer_id) as c_customer_id,
        count(cd_demo_sk) as cd_demo_sk,
        count(hd_income_band_sk) as hd_income_band_sk,
        count(hd_buy_potential) as hd_buy_potential,
        count(hd_dep_count) as hd_dep_count,
        count(hd_vehicle_count) as hd_vehicle_count,
        count(ca_address_id) as ca_address_id,
        count(s_store_id) as s_store_id,
        count(p_promo_id) as p_promo_id,
        count(ss_quantity) as ss_quantity,
        count(ss_wholesale_cost) as ss_wholesale_cost,
        count(ss_list_price) as ss_list_price,
        count(ss_sales_price) as ss_sales_price,
        count(ss_ext_discount_amt) as ss_ext_discount_amt,
        count(ss_ext_sales_price) as ss_ext_sales_price,
        count(ss_ext_wholesale_cost) as ss_ext_wholesale_cost,
        count(ss_ext_list_price) as ss_ext_list_price,
        count(ss_ext_tax) as ss_ext_tax,
        count(ss_coupon_amt) as ss_coupon_amt,
        count(ss_net_paid) as ss_net_paid,
        count(ss_net_paid_inc_tax) as ss_net_paid_inc_tax,
        count(ss_net_profit) as ss_net_profit
    from tpcds.stg_store_sales
    where sale_date = cast(:refresh_date as date)
)

select
    column_name,
    line_count,
    line_count - filled_count as empty_count
from filled
unpivot (
    filled_count for column_name in (
        sold_time, i_item_id, c_customer_id, cd_demo_sk, hd_income_band_sk, hd_buy_potential, hd_dep_count,
        hd_vehicle_count, ca_address_id, s_store_id, p_promo_id, ss_quantity, ss_wholesale_cost,
        ss_list_price, ss_sales_price, ss_ext_discount_amt, ss_ext_sales_price, ss_ext_wholesale_cost,
        ss_ext_list_price, ss_ext_tax, ss_coupon_amt, ss_net_paid, ss_net_paid_inc_tax, ss_net_profit
    )
)
where ticket_count >= 10 and filled_count * 2 < line_count;
