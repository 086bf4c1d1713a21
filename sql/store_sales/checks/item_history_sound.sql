-- Versions of items that do not follow each other: a gap, an overlap, no length, a wrong number. Also items
-- that the day's extract names twice with different values, of which load_item can take only one.
with version as (
    select
        i_item_id,
        i_version,
        i_rec_start_date,
        i_rec_end_date,
        row_number() over (partition by i_item_id order by i_rec_start_date, i_item_sk) as place,
        lead(i_rec_start_date) over (
            partition by i_item_id order by i_rec_start_date, i_item_sk
        ) as next_start
    from tpcds.item
),

delivered as (
    select distinct
        i_item_id,
        i_current_price,
        i_category,
        i_product_name
    from tpcds.stg_item
    where extract_date = cast(:refresh_date as date)
)

select
    i_item_id,
    i_version,
    i_rec_start_date,
    i_rec_end_date,
    case
        when i_rec_end_date <= i_rec_start_date then 'no length'
        when i_version <> place then 'wrong number'
        when next_start is null then 'closed without a successor'
        when i_rec_end_date is null or i_rec_end_date > next_start then 'overlap'
        else 'gap'
    end as problem
from version
-- DECODE takes two NULLs as equal.
where i_rec_end_date <= i_rec_start_date or i_version <> place or decode(i_rec_end_date, next_start, 0, 1) = 1
union all
select
    i_item_id,
    null as i_version,
    cast(:refresh_date as date) as i_rec_start_date,
    null as i_rec_end_date,
    'delivered twice' as problem
from delivered
group by i_item_id
having count(*) > 1;
