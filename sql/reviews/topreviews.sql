-- The top_n most helpful reviews of every marketplace and product category, one row per review.
-- average_stars is the average over all loaded reviews of the review's product, in every marketplace,
-- not the stars of the review itself. Equal votes are ranked by average_stars, then by review_id.
-- UNLOAD cannot bind values: the report is a temporary table first. Its rows are ordered as a whole, the
-- most helpful review of all first; PARALLEL OFF keeps that order over the files, which the manifest lists.
create temp table top_review (
    marketplace varchar(10),
    product_category varchar(40),
    product_title varchar(2048),
    review_id varchar(15),
    helpful_votes integer,
    average_stars numeric(3, 2)
);

insert into top_review (
    marketplace, product_category, product_title, review_id, helpful_votes, average_stars
)
-- The average of integers would be an integer.
with rated as (
    select
        marketplace,
        product_category,
        product_title,
        review_id,
        helpful_votes,
        avg(cast(star_rating as numeric(12, 8))) over (partition by product_id) as average_stars
    from public.reviews
),

ranked as (
    select
        marketplace,
        product_category,
        product_title,
        review_id,
        helpful_votes,
        average_stars,
        row_number() over (
            partition by marketplace, product_category
            order by helpful_votes desc nulls last, average_stars desc nulls last, review_id asc
        ) as helpful_rank
    from rated
)

select
    marketplace,
    product_category,
    product_title,
    review_id,
    helpful_votes,
    cast(average_stars as numeric(3, 2)) as average_stars
from ranked
where helpful_rank <= cast(:top_n as integer);

unload (
    'select * from top_review
    order by helpful_votes desc nulls last, average_stars desc nulls last, review_id asc'
)
to ${report_location}
iam_role ${iam_role_arn}
format as csv
header
parallel off
cleanpath
encrypted auto
manifest verbose;
