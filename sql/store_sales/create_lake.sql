-- The data lake as Spectrum sees it: one external schema, one external table for the extracts of
-- store sales. External DDL cannot run inside a transaction, and CREATE EXTERNAL TABLE has no
-- IF NOT EXISTS: the task runs this file only while the table is missing.
-- Spectrum cuts a text that is longer than its column, without an error. Texts are wider here than in
-- staging, so that one that is too long for staging gets there whole and is refused.
create external schema if not exists tpcds_lake
from data catalog
database 'tpcds_lake'
iam_role '{{ iam_role_arn }}'
create external database if not exists;

create external table tpcds_lake.store_sales (
    sold_date date,
    sold_time integer,
    i_item_id varchar(256),
    c_customer_id varchar(256),
    cd_demo_sk integer,
    hd_income_band_sk integer,
    hd_buy_potential varchar(256),
    hd_dep_count integer,
    hd_vehicle_count integer,
    ca_address_id varchar(256),
    s_store_id varchar(256),
    p_promo_id varchar(256),
    ss_ticket_number bigint,
    ss_quantity integer,
    ss_wholesale_cost decimal(7, 2),
    ss_list_price decimal(7, 2),
    ss_sales_price decimal(7, 2),
    ss_ext_discount_amt decimal(7, 2),
    ss_ext_sales_price decimal(7, 2),
    ss_ext_wholesale_cost decimal(7, 2),
    ss_ext_list_price decimal(7, 2),
    ss_ext_tax decimal(7, 2),
    ss_coupon_amt decimal(7, 2),
    ss_net_paid decimal(7, 2),
    ss_net_paid_inc_tax decimal(7, 2),
    ss_net_profit decimal(7, 2)
)
partitioned by (sale_date date)
stored as parquet
location 's3://{{ data_bucket }}/raw/store_sales/';
