-- date_dim, household_demographics and promotion: members that are not there yet are added. A day or a
-- promotion that the source names twice is taken once: the row that comes first by all its columns.
lock tpcds.reference_lock;

insert into tpcds.household_demographics (hd_demo_sk)
select -1 as hd_demo_sk
where not exists (
    select 1 from tpcds.household_demographics
    where hd_demo_sk = -1
);

insert into tpcds.promotion (p_promo_sk, p_promo_id, p_promo_name)
select
    -1 as p_promo_sk,
    'UNKNOWN' as p_promo_id,
    'Unknown' as p_promo_name
where not exists (
    select 1 from tpcds.promotion
    where p_promo_sk = -1
);

create temp table delivered_date (
    d_date date not null,
    d_date_id varchar(16) not null,
    d_day_name varchar(9),
    d_week_seq integer,
    d_year integer,
    d_moy integer,
    d_dom integer,
    d_quarter_name varchar(6),
    d_holiday varchar(1),
    d_weekend varchar(1)
);

copy delivered_date
from 's3://{{ data_bucket }}/raw/date_dim/'
iam_role '{{ iam_role_arn }}'
format as parquet;

-- The key is the Julian day number (2415021 is 1900-01-01).
insert into tpcds.date_dim (
    d_date_sk, d_date_id, d_date, d_day_name, d_week_seq, d_year, d_moy, d_dom, d_quarter_name,
    d_holiday, d_weekend
)
with delivered as (
    select
        d_date_id,
        d_date,
        d_day_name,
        d_week_seq,
        d_year,
        d_moy,
        d_dom,
        d_quarter_name,
        d_holiday,
        d_weekend,
        row_number() over (
            partition by d_date
            order by
                d_date_id, d_day_name, d_week_seq, d_year, d_moy, d_dom, d_quarter_name, d_holiday, d_weekend
        ) as choice
    from delivered_date
)

select
    datediff(day, date '1900-01-01', delivered.d_date) + 2415021 as d_date_sk,
    delivered.d_date_id,
    delivered.d_date,
    delivered.d_day_name,
    delivered.d_week_seq,
    delivered.d_year,
    delivered.d_moy,
    delivered.d_dom,
    delivered.d_quarter_name,
    delivered.d_holiday,
    delivered.d_weekend
from delivered
where
    delivered.choice = 1
    and not exists (
        select 1 from tpcds.date_dim as known
        where known.d_date = delivered.d_date
    );

create temp table delivered_household (
    hd_income_band_sk integer,
    hd_buy_potential varchar(15),
    hd_dep_count integer,
    hd_vehicle_count integer
);

copy delivered_household
from 's3://{{ data_bucket }}/raw/household_demographics/'
iam_role '{{ iam_role_arn }}'
format as parquet;

-- EXCEPT takes two NULLs as equal, and each household once.
insert into tpcds.household_demographics (
    hd_income_band_sk, hd_buy_potential, hd_dep_count, hd_vehicle_count
)
select
    hd_income_band_sk,
    hd_buy_potential,
    hd_dep_count,
    hd_vehicle_count
from delivered_household
except
select
    hd_income_band_sk,
    hd_buy_potential,
    hd_dep_count,
    hd_vehicle_count
from tpcds.household_demographics;

create temp table delivered_promotion (
    p_promo_id varchar(16) not null,
    p_promo_name varchar(50),
    p_purpose varchar(15),
    p_channel_tv varchar(1),
    p_channel_email varchar(1),
    p_discount_active varchar(1)
);

copy delivered_promotion
from 's3://{{ data_bucket }}/raw/promotion/'
iam_role '{{ iam_role_arn }}'
format as parquet;

insert into tpcds.promotion (
    p_promo_id, p_promo_name, p_purpose, p_channel_tv, p_channel_email, p_discount_active
)
with delivered as (
    select
        p_promo_id,
        p_promo_name,
        p_purpose,
        p_channel_tv,
        p_channel_email,
        p_discount_active,
        row_number() over (
            partition by p_promo_id
            order by p_promo_name, p_purpose, p_channel_tv, p_channel_email, p_discount_active
        ) as choice
    from delivered_promotion
)

select
    delivered.p_promo_id,
    delivered.p_promo_name,
    delivered.p_purpose,
    delivered.p_channel_tv,
    delivered.p_channel_email,
    delivered.p_discount_active
from delivered
where
    delivered.choice = 1
    and not exists (
        select 1 from tpcds.promotion as known
        where known.p_promo_id = delivered.p_promo_id
    );
