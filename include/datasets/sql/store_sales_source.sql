-- DuckDB. From dsdgen's tables (the current database) to the source system's own tables (database `source`):
-- business ids instead of surrogate keys, trailing blanks trimmed, one row per member.
-- The rules are described in store_sales.py.
--
-- Columns every dimension has beside its attributes:
--   number      TPC-DS's key of the member's first revision; 10,000,000 + day for a newcomer
--   since       the day (1 = 1998-01-02) a newcomer appeared, 0 for TPC-DS's own members
--   known_from  the first day whose extract knows the member
--   position    0, 1, 2, ... among TPC-DS's own members; a newcomer has the position of the one it is cloned from

-- TPC-DS: 8 hex digits of the key, least significant first, written A to P, after eight A's.
create macro source.business_id(number) as
    'AAAAAAAA' || translate(reverse(lpad(to_hex(number), 8, '0')), '0123456789ABCDEF', 'ABCDEFGHIJKLMNOP');

create temp macro ordinal(day) as (day - date '1998-01-01')::int;

create temp table newcomer as
select
    day::int as since,
    10_000_000 + day::int as number,
    -- the members of even days arrive late
    if(day % 2 = 1, day, day + 1)::int as known_from,
from generate_series(1, ordinal(date '2003-01-02')) as t (day);

-- The key of a revision, and of the first revision of the same item.
create temp table item_revision as
select i_item_sk, min(i_item_sk) over (partition by i_item_id)::int as number, from item;

create table source.item as
with latest as (
    select r.number, i.*,
    from item as i
    join item_revision as r using (i_item_sk)
    qualify row_number() over (partition by i.i_item_id order by i.i_item_sk desc) = 1
),

own as (
    select
        number,
        0 as since,
        0 as known_from,
        (row_number() over (order by number) - 1)::int as position,
        i_current_price,
        rtrim(i_category) as i_category,
        rtrim(i_product_name) as i_product_name,
    from latest
),

next_category as (
    select
        i_category,
        coalesce(lead(i_category) over (order by i_category), min(i_category) over ()) as next_category,
    from (select distinct i_category from own where i_category is not null)
),

member as (
    from own
    union all by name
    select newcomer.*, own.* exclude (number, since, known_from),
    from newcomer
    join own on own.position = newcomer.since % (select count(*) from own)
)

select source.business_id(member.number) as i_item_id, member.*, next_category.next_category,
from member
left join next_category using (i_category);

create table source.customer_address as
with own as (
    select
        ca_address_sk::int as number,
        0 as since,
        0 as known_from,
        (row_number() over (order by ca_address_sk) - 1)::int as position,
        rtrim(ca_city) as ca_city,
        rtrim(ca_state) as ca_state,
        rtrim(ca_zip) as ca_zip,
        rtrim(ca_country) as ca_country,
    from customer_address
)

select source.business_id(number) as ca_address_id, *,
from (
    from own
    union all by name
    select newcomer.*, own.* exclude (number, since, known_from),
    from newcomer
    join own on own.position = newcomer.since % (select count(*) from own)
);

create table source.customer as
with own as (
    select
        c_customer_sk::int as number,
        0 as since,
        0 as known_from,
        (row_number() over (order by c_customer_sk) - 1)::int as position,
        source.business_id(c_current_addr_sk) as c_current_addr_id,
        rtrim(c_first_name) as c_first_name,
        rtrim(c_last_name) as c_last_name,
    from customer
)

select source.business_id(number) as c_customer_id, *,
from (
    from own
    union all by name
    -- the day's new customer lives at the day's new address
    select
        newcomer.*,
        own.* exclude (number, since, known_from)
            replace (source.business_id(newcomer.number) as c_current_addr_id),
    from newcomer
    join own on own.position = newcomer.since % (select count(*) from own)
);

create table source.store as
with own as (
    select
        min(s_store_sk) over (partition by s_store_id)::int as number,
        rtrim(s_store_name) as s_store_name,
        s_number_employees::int as s_number_employees,
        s_floor_space::int as s_floor_space,
        rtrim(s_manager) as s_manager,
        s_market_id::int as s_market_id,
        rtrim(s_division_name) as s_division_name,
        rtrim(s_company_name) as s_company_name,
        rtrim(s_city) as s_city,
        rtrim(s_county) as s_county,
        rtrim(s_state) as s_state,
        rtrim(s_zip) as s_zip,
        rtrim(s_country) as s_country,
        s_gmt_offset,
        s_tax_percentage as s_tax_precentage,
    from store
    qualify row_number() over (partition by s_store_id order by s_store_sk desc) = 1
),

-- The United Kingdom has no states.
added (
    number, s_store_name, s_number_employees, s_floor_space, s_manager, s_market_id, s_city, s_county, s_state,
    s_zip, s_country, s_gmt_offset, s_tax_precentage
) as (
    values
    (10_000_001, 'Bethel Main Street', 212, 6_120_400, 'Grace Holloway', 4, 'Bethel', 'Clermont County', 'OH',
     '45106', 'United States', -5.00, 0.07),
    (10_000_002, 'Bethel Plane Street', 238, 7_350_900, 'Samuel Ortiz', 4, 'Bethel', 'Clermont County', 'OH',
     '45106', 'United States', -5.00, 0.07),
    (10_000_003, 'Toronto Harbourfront', 281, 8_204_700, 'Claire Beaulieu', 7, 'Toronto', 'Toronto', 'ON',
     'M5J 2N8', 'Canada', -5.00, 0.13),
    (10_000_004, 'Monterrey Centro', 264, 7_890_300, 'Lucia Garza', 8, 'Monterrey', 'Monterrey', 'NL',
     '64000', 'Mexico', -6.00, 0.16),
    (10_000_005, 'London Southwark', 257, 6_985_200, 'Oliver Hughes', 10, 'London', 'Greater London', null,
     'SE1 9SG', 'United Kingdom', 0.00, 0.20)
),

member as (
    from own
    union all by name
    select
        * replace (
            s_gmt_offset::decimal(5, 2) as s_gmt_offset,
            s_tax_precentage::decimal(5, 2) as s_tax_precentage
        ),
        'Unknown' as s_division_name,
        'Unknown' as s_company_name,
    from added
)

select
    source.business_id(number) as s_store_id,
    (row_number() over (order by number) - 1)::int as position,
    0 as since,
    0 as known_from,
    *,
from member;

-- Sales keep their keys here: an extract turns those of one day into business ids.
create table source.store_sales as
with first_ticket as (
    select ss_sold_date_sk, min(ss_ticket_number) as ss_ticket_number,
    from store_sales
    group by ss_sold_date_sk
),

first_line as (
    select ss_sold_date_sk, ss_ticket_number, min(ss_item_sk) as ss_item_sk,
    from store_sales
    join first_ticket using (ss_sold_date_sk, ss_ticket_number)
    group by all
)

select
    newcomer.since as sold_day,
    if(s.ss_item_sk = f.ss_item_sk, newcomer.number, r.number) as item_number,
    if(f.ss_item_sk is null, s.ss_customer_sk, newcomer.number) as customer_number,
    if(f.ss_item_sk is null, s.ss_addr_sk, newcomer.number) as address_number,
    if(s.ss_store_sk is null, null, s.ss_ticket_number % (select count(*) from source.store)) as store_position,
    s.* exclude (ss_sold_date_sk, ss_item_sk, ss_customer_sk, ss_addr_sk, ss_store_sk),
from store_sales as s
join date_dim as d on d.d_date_sk = s.ss_sold_date_sk
join newcomer on newcomer.since = ordinal(d.d_date)
join item_revision as r on r.i_item_sk = s.ss_item_sk
left join first_line as f on (f.ss_sold_date_sk, f.ss_ticket_number) = (s.ss_sold_date_sk, s.ss_ticket_number)
-- so that DuckDB finds a day without reading the others
order by sold_day;

create table source.date_dim as
select
    d_date,
    d_date_id,
    rtrim(d_day_name) as d_day_name,
    d_week_seq::int as d_week_seq,
    d_year::int as d_year,
    d_moy::int as d_moy,
    d_dom::int as d_dom,
    rtrim(d_quarter_name) as d_quarter_name,
    d_holiday,
    d_weekend,
from date_dim
where d_date between date '1998-01-01' and date '2003-12-31';

create table source.household_demographics as
select
    hd_demo_sk,
    hd_income_band_sk::int as hd_income_band_sk,
    rtrim(hd_buy_potential) as hd_buy_potential,
    hd_dep_count::int as hd_dep_count,
    hd_vehicle_count::int as hd_vehicle_count,
from household_demographics;

create table source.promotion as
select
    p_promo_id,
    rtrim(p_promo_name) as p_promo_name,
    rtrim(p_purpose) as p_purpose,
    p_channel_tv,
    p_channel_email,
    p_discount_active,
from promotion;
