-- stg_store_sales, one row per ticket line: the refresh date as the source delivered it, replaced whole.
-- Days that were staged more than seven days ago go, so that staging does not grow with history. To load or
-- reconcile such a day again, clear its run from register_partition on.
lock tpcds.stg_store_sales_lock;

delete from tpcds.stg_store_sales_purged
where sale_date = cast(:refresh_date as date);

insert into tpcds.stg_store_sales_purged (sale_date)
select distinct sale_date
from tpcds.stg_store_sales
where loaded_at < dateadd(day, -7, getdate()) and sale_date <> cast(:refresh_date as date);

delete from tpcds.stg_store_sales
where
    sale_date = cast(:refresh_date as date)
    or sale_date in (select p.sale_date from tpcds.stg_store_sales_purged as p);

insert into tpcds.stg_store_sales (
    sale_date, sold_date, sold_time, i_item_id, c_customer_id, cd_demo_sk, hd_income_band_sk,
    hd_buy_potential, hd_dep_count, hd_vehicle_count, ca_address_id, s_store_id, p_promo_id,
    ss_ticket_number, ss_quantity, ss_wholesale_cost, ss_list_price, ss_sales_price,
    ss_ext_discount_amt, ss_ext_sales_price, ss_ext_wholesale_cost, ss_ext_list_price, ss_ext_tax,
    ss_coupon_amt, ss_net_paid, ss_net_paid_inc_tax, ss_net_profit
)
select
    sale_date,
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
    ss_net_profit
from tpcds_lake.store_sales
where sale_date = cast(:refresh_date as date);
