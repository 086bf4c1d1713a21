-- store_sales, one row per ticket line: the refresh date, deleted and inserted by the same date key.
-- A member that the dimensions do not hold yet is the unknown member (-1): no sale is lost for it, and
-- store_sales_unresolved remembers what to look for. A sale before an item's first version is a sale of it.
-- TPC-DS's time key is the second of the day, which is what the extract holds.
-- Staging is kept for seven days: for a day that has left it, this fails with a NULL in day_still_staged and
-- leaves the day as it is. Clear such a run from register_partition on.
lock tpcds.store_sales_unresolved;

create temp table required_day (day_still_staged date not null);

insert into required_day (day_still_staged)
select case when count(*) = 0 then cast(:refresh_date as date) end as day_still_staged
from tpcds.stg_store_sales_purged
where sale_date = cast(:refresh_date as date);

delete from tpcds.store_sales
where ss_sold_date_sk = (
    select d_date_sk from tpcds.date_dim
    where d_date = cast(:refresh_date as date)
);

delete from tpcds.store_sales_unresolved
where ss_sold_date_sk = (
    select d_date_sk from tpcds.date_dim
    where d_date = cast(:refresh_date as date)
);

insert into tpcds.store_sales (
    ss_sold_date_sk, ss_sold_time_sk, ss_item_sk, ss_customer_sk, ss_cdemo_sk, ss_hdemo_sk,
    ss_addr_sk, ss_store_sk, ss_promo_sk, ss_ticket_number, ss_item_id, ss_quantity,
    ss_wholesale_cost, ss_list_price, ss_sales_price, ss_ext_discount_amt, ss_ext_sales_price,
    ss_ext_wholesale_cost, ss_ext_list_price, ss_ext_tax, ss_coupon_amt, ss_net_paid,
    ss_net_paid_inc_tax, ss_net_profit
)
with item_on_day as (
    select
        i_item_id,
        i_item_sk
    from tpcds.item
    where
        (i_rec_start_date <= cast(:refresh_date as date) or i_version = 1)
        and (i_rec_end_date > cast(:refresh_date as date) or i_rec_end_date is null)
)

select
    d.d_date_sk as ss_sold_date_sk,
    s.sold_time as ss_sold_time_sk,
    coalesce(i.i_item_sk, -1) as ss_item_sk,
    coalesce(c.c_customer_sk, -1) as ss_customer_sk,
    s.cd_demo_sk as ss_cdemo_sk,
    coalesce(h.hd_demo_sk, -1) as ss_hdemo_sk,
    coalesce(a.ca_address_sk, -1) as ss_addr_sk,
    coalesce(st.s_store_sk, -1) as ss_store_sk,
    coalesce(p.p_promo_sk, -1) as ss_promo_sk,
    s.ss_ticket_number,
    coalesce(s.i_item_id, 'UNKNOWN') as ss_item_id,
    s.ss_quantity,
    s.ss_wholesale_cost,
    s.ss_list_price,
    s.ss_sales_price,
    s.ss_ext_discount_amt,
    s.ss_ext_sales_price,
    s.ss_ext_wholesale_cost,
    s.ss_ext_list_price,
    s.ss_ext_tax,
    s.ss_coupon_amt,
    s.ss_net_paid,
    s.ss_net_paid_inc_tax,
    s.ss_net_profit
from tpcds.stg_store_sales as s
inner join tpcds.date_dim as d on s.sold_date = d.d_date
left join item_on_day as i on s.i_item_id = i.i_item_id
left join tpcds.customer as c on s.c_customer_id = c.c_customer_id
left join tpcds.customer_address as a on s.ca_address_id = a.ca_address_id
left join tpcds.store as st on s.s_store_id = st.s_store_id
left join tpcds.promotion as p on s.p_promo_id = p.p_promo_id
left join tpcds.household_demographics as h
    on
        s.hd_income_band_sk = h.hd_income_band_sk
        and s.hd_buy_potential = h.hd_buy_potential
        and s.hd_dep_count = h.hd_dep_count
        and s.hd_vehicle_count = h.hd_vehicle_count
where
    s.sale_date = cast(:refresh_date as date)
    and s.sold_date = cast(:refresh_date as date);

-- Ids that no dimension holds yet. What was delivered without an id stays unknown and is not looked for.
insert into tpcds.store_sales_unresolved (
    ss_sold_date_sk, ss_ticket_number, ss_item_id, dimension, business_id
)
with line as (
    select
        f.ss_sold_date_sk,
        f.ss_ticket_number,
        f.ss_item_id,
        case when f.ss_item_sk = -1 then s.i_item_id end as item,
        case when f.ss_customer_sk = -1 then s.c_customer_id end as customer,
        case when f.ss_addr_sk = -1 then s.ca_address_id end as customer_address,
        case when f.ss_store_sk = -1 then s.s_store_id end as store,
        case when f.ss_promo_sk = -1 then s.p_promo_id end as promotion,
        case
            when f.ss_hdemo_sk = -1
                then
                    cast(s.hd_income_band_sk as varchar(11)) || '|' || s.hd_buy_potential || '|'
                    || cast(s.hd_dep_count as varchar(11)) || '|' || cast(s.hd_vehicle_count as varchar(11))
        end as household
    from tpcds.store_sales as f
    inner join tpcds.stg_store_sales as s
        on
            f.ss_ticket_number = s.ss_ticket_number
            and f.ss_item_id = coalesce(s.i_item_id, 'UNKNOWN')
    where
        f.ss_sold_date_sk = (
            select d.d_date_sk from tpcds.date_dim as d
            where d.d_date = cast(:refresh_date as date)
        )
        and s.sale_date = cast(:refresh_date as date)
        and (
            f.ss_item_sk = -1 or f.ss_customer_sk = -1 or f.ss_addr_sk = -1 or f.ss_store_sk = -1
            or f.ss_promo_sk = -1 or f.ss_hdemo_sk = -1
        )
)

select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    'item' as dimension,
    item as business_id
from line
where item is not null
union all
select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    'customer' as dimension,
    customer as business_id
from line
where customer is not null
union all
select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    'customer_address' as dimension,
    customer_address as business_id
from line
where customer_address is not null
union all
select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    'store' as dimension,
    store as business_id
from line
where store is not null
union all
select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    'promotion' as dimension,
    promotion as business_id
from line
where promotion is not null
union all
select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    'household' as dimension,
    household as business_id
from line
where household is not null;
