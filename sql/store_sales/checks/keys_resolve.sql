-- Keys of the refresh date that lead nowhere, one row per dimension and key: every key of the fact is in
-- its dimension, and an item's key is the version of that item that was valid on the day of the sale.
with line as (
    select
        d.d_date,
        f.ss_item_id,
        f.ss_item_sk,
        f.ss_customer_sk,
        f.ss_addr_sk,
        f.ss_store_sk,
        f.ss_promo_sk,
        f.ss_hdemo_sk
    from tpcds.store_sales as f
    inner join tpcds.date_dim as d on f.ss_sold_date_sk = d.d_date_sk
    where
        f.ss_sold_date_sk = (
            select t.d_date_sk from tpcds.date_dim as t
            where t.d_date = cast(:refresh_date as date)
        )
)

select
    'item' as dimension,
    line.ss_item_sk as key,
    'no such member' as problem,
    count(*) as line_count
from line
left join tpcds.item as m on line.ss_item_sk = m.i_item_sk
where m.i_item_sk is null
group by line.ss_item_sk
union all
select
    'customer' as dimension,
    line.ss_customer_sk as key,
    'no such member' as problem,
    count(*) as line_count
from line
left join tpcds.customer as m on line.ss_customer_sk = m.c_customer_sk
where m.c_customer_sk is null
group by line.ss_customer_sk
union all
select
    'customer_address' as dimension,
    line.ss_addr_sk as key,
    'no such member' as problem,
    count(*) as line_count
from line
left join tpcds.customer_address as m on line.ss_addr_sk = m.ca_address_sk
where m.ca_address_sk is null
group by line.ss_addr_sk
union all
select
    'store' as dimension,
    line.ss_store_sk as key,
    'no such member' as problem,
    count(*) as line_count
from line
left join tpcds.store as m on line.ss_store_sk = m.s_store_sk
where m.s_store_sk is null
group by line.ss_store_sk
union all
select
    'promotion' as dimension,
    line.ss_promo_sk as key,
    'no such member' as problem,
    count(*) as line_count
from line
left join tpcds.promotion as m on line.ss_promo_sk = m.p_promo_sk
where m.p_promo_sk is null
group by line.ss_promo_sk
union all
select
    'household_demographics' as dimension,
    line.ss_hdemo_sk as key,
    'no such member' as problem,
    count(*) as line_count
from line
left join tpcds.household_demographics as m on line.ss_hdemo_sk = m.hd_demo_sk
where m.hd_demo_sk is null
group by line.ss_hdemo_sk
union all
select
    'item' as dimension,
    line.ss_item_sk as key,
    'another item or another day' as problem,
    count(*) as line_count
from line
inner join tpcds.item as m on line.ss_item_sk = m.i_item_sk
where
    m.i_item_sk <> -1
    and (
        line.ss_item_id <> m.i_item_id
        or (line.d_date < m.i_rec_start_date and m.i_version > 1)
        or line.d_date >= m.i_rec_end_date
    )
group by line.ss_item_sk;
