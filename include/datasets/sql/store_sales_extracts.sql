-- DuckDB. What the source system knows on a day: one table macro per extract, the day as an integer (1 = 1998-01-02).
-- Every value is a closed form of member and day. The rules are described in store_sales.py.

-- How often a member has changed by the evening of `day`: 0 at first, then one more every `period` days; members
-- of the same period change on different days.
create temp macro changes(day, since, number, period) as (day - since + number % period) // period;

create temp macro item_on(day) as table
select
    i_item_id,
    round(i_current_price * (1 + 0.03 * ((day + number) // (20 + number % 17) % 7)), 2)::decimal(7, 2)
        as i_current_price,
    if(changes(day, since, number, 400 + number % 97) % 2 = 1, next_category, i_category) as i_category,
    i_product_name || ['', ' II', ' III'][1 + changes(day, since, number, 60 + number % 31) % 3]
        as i_product_name,
from item
where known_from <= day;

create temp macro customer_address_on(day) as table
with own as (from customer_address where since = 0),

member as (
    select
        ca_address_id,
        -- the address whose values this one has now: its own until the first change
        (position + 1009 * changes(day, since, number, 300 + number % 97)) % (select count(*) from own) as position,
    from customer_address
    where known_from <= day
)

select member.ca_address_id, own.ca_city, own.ca_state, own.ca_zip, own.ca_country,
from member
join own using (position);

create temp macro customer_on(day) as table
with own as (from customer where since = 0),

member as (
    select
        c_customer_id,
        c_current_addr_id,
        c_first_name,
        changes(day, since, number, 600 + number % 97) as moves,
        -- the customers whose last name and current address this one has now
        (position + 709 * changes(day, since, number, 1500 + number % 101)) % (select count(*) from own) as named,
        (position + 521 * moves) % (select count(*) from own) as moved,
    from customer
    where known_from <= day
)

select
    member.c_customer_id,
    if(member.moves = 0, member.c_current_addr_id, moved.c_current_addr_id) as c_current_addr_id,
    member.c_first_name,
    named.c_last_name,
from member
join own as named on named.position = member.named
join own as moved on moved.position = member.moved;

create temp macro store_on(day) as table
select
    s_store_id,
    s_store_name,
    s_number_employees,
    s_floor_space,
    if(
        changes(day, since, number, 120 + number % 31) = 0,
        s_manager,
        [
            'Ruth Marsh', 'David Lyons', 'Ana Castillo', 'Peter Novak', 'Joan Whitaker', 'Mark Reyes', 'Ellen Shaw'
        ][1 + (position + changes(day, since, number, 120 + number % 31)) % 7]
    ) as s_manager,
    s_market_id,
    s_division_name,
    s_company_name,
    s_city,
    s_county,
    s_state,
    s_zip,
    s_country,
    s_gmt_offset,
    s_tax_precentage,
from store
where known_from <= day;

create temp macro store_sales_on(day) as table
select
    date '1998-01-01' + s.sold_day as sold_date,
    s.ss_sold_time_sk::int as sold_time,
    business_id(s.item_number) as i_item_id,
    business_id(s.customer_number) as c_customer_id,
    s.ss_cdemo_sk::int as cd_demo_sk,
    h.hd_income_band_sk,
    h.hd_buy_potential,
    h.hd_dep_count,
    h.hd_vehicle_count,
    business_id(s.address_number) as ca_address_id,
    store.s_store_id,
    business_id(s.ss_promo_sk) as p_promo_id,
    s.ss_ticket_number,
    s.ss_quantity::int as ss_quantity,
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
    s.ss_net_profit,
from store_sales as s
left join store on store.position = s.store_position
left join household_demographics as h on h.hd_demo_sk = s.ss_hdemo_sk
where s.sold_day = day::int;
