-- store_sales again, for members that arrived after their sales: lines that pointed to the unknown member
-- point to the member now, whatever the order in which days and members came. What is read is
-- store_sales_unresolved, never the history: of store_sales only the days of the lines to mend.
lock tpcds.store_sales_unresolved;

create temp table arrived_member (
    ss_sold_date_sk integer not null,
    ss_ticket_number bigint not null,
    ss_item_id varchar(16) not null,
    dimension varchar(24) not null,
    member_sk bigint not null
);

insert into arrived_member (ss_sold_date_sk, ss_ticket_number, ss_item_id, dimension, member_sk)
select
    u.ss_sold_date_sk,
    u.ss_ticket_number,
    u.ss_item_id,
    u.dimension,
    i.i_item_sk as member_sk
from tpcds.store_sales_unresolved as u
inner join tpcds.date_dim as d on u.ss_sold_date_sk = d.d_date_sk
inner join tpcds.item as i
    on
        u.business_id = i.i_item_id
        and (d.d_date >= i.i_rec_start_date or i.i_version = 1)
        and (d.d_date < i.i_rec_end_date or i.i_rec_end_date is null)
where u.dimension = 'item'
union all
select
    u.ss_sold_date_sk,
    u.ss_ticket_number,
    u.ss_item_id,
    u.dimension,
    m.c_customer_sk as member_sk
from tpcds.store_sales_unresolved as u
inner join tpcds.customer as m on u.business_id = m.c_customer_id
where u.dimension = 'customer'
union all
select
    u.ss_sold_date_sk,
    u.ss_ticket_number,
    u.ss_item_id,
    u.dimension,
    m.ca_address_sk as member_sk
from tpcds.store_sales_unresolved as u
inner join tpcds.customer_address as m on u.business_id = m.ca_address_id
where u.dimension = 'customer_address'
union all
select
    u.ss_sold_date_sk,
    u.ss_ticket_number,
    u.ss_item_id,
    u.dimension,
    m.s_store_sk as member_sk
from tpcds.store_sales_unresolved as u
inner join tpcds.store as m on u.business_id = m.s_store_id
where u.dimension = 'store'
union all
select
    u.ss_sold_date_sk,
    u.ss_ticket_number,
    u.ss_item_id,
    u.dimension,
    m.p_promo_sk as member_sk
from tpcds.store_sales_unresolved as u
inner join tpcds.promotion as m on u.business_id = m.p_promo_id
where u.dimension = 'promotion'
union all
select
    u.ss_sold_date_sk,
    u.ss_ticket_number,
    u.ss_item_id,
    u.dimension,
    m.hd_demo_sk as member_sk
from tpcds.store_sales_unresolved as u
inner join tpcds.household_demographics as m
    on
        u.business_id
        = cast(m.hd_income_band_sk as varchar(11)) || '|' || m.hd_buy_potential || '|'
        || cast(m.hd_dep_count as varchar(11)) || '|' || cast(m.hd_vehicle_count as varchar(11))
where u.dimension = 'household';

create temp table mended_line (
    ss_sold_date_sk integer not null,
    ss_ticket_number bigint not null,
    ss_item_id varchar(16) not null,
    item_sk bigint,
    customer_sk bigint,
    addr_sk bigint,
    store_sk bigint,
    promo_sk bigint,
    hdemo_sk bigint
);

insert into mended_line (
    ss_sold_date_sk, ss_ticket_number, ss_item_id, item_sk, customer_sk, addr_sk, store_sk, promo_sk, hdemo_sk
)
select
    ss_sold_date_sk,
    ss_ticket_number,
    ss_item_id,
    max(case when dimension = 'item' then member_sk end) as item_sk,
    max(case when dimension = 'customer' then member_sk end) as customer_sk,
    max(case when dimension = 'customer_address' then member_sk end) as addr_sk,
    max(case when dimension = 'store' then member_sk end) as store_sk,
    max(case when dimension = 'promotion' then member_sk end) as promo_sk,
    max(case when dimension = 'household' then member_sk end) as hdemo_sk
from arrived_member
group by ss_sold_date_sk, ss_ticket_number, ss_item_id;

update tpcds.store_sales
set
    ss_item_sk = coalesce(m.item_sk, store_sales.ss_item_sk),
    ss_customer_sk = coalesce(m.customer_sk, store_sales.ss_customer_sk),
    ss_addr_sk = coalesce(m.addr_sk, store_sales.ss_addr_sk),
    ss_store_sk = coalesce(m.store_sk, store_sales.ss_store_sk),
    ss_promo_sk = coalesce(m.promo_sk, store_sales.ss_promo_sk),
    ss_hdemo_sk = coalesce(m.hdemo_sk, store_sales.ss_hdemo_sk)
from mended_line as m
where
    store_sales.ss_sold_date_sk >= (select min(mended_line.ss_sold_date_sk) from mended_line)
    and store_sales.ss_sold_date_sk <= (select max(mended_line.ss_sold_date_sk) from mended_line)
    and store_sales.ss_sold_date_sk = m.ss_sold_date_sk
    and store_sales.ss_ticket_number = m.ss_ticket_number
    and store_sales.ss_item_id = m.ss_item_id;

delete from tpcds.store_sales_unresolved
using arrived_member
where
    store_sales_unresolved.ss_sold_date_sk = arrived_member.ss_sold_date_sk
    and store_sales_unresolved.ss_ticket_number = arrived_member.ss_ticket_number
    and store_sales_unresolved.ss_item_id = arrived_member.ss_item_id
    and store_sales_unresolved.dimension = arrived_member.dimension;
