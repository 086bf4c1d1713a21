-- public.reviews, one row per review: the years from first_year on, deleted and inserted as one
-- transaction, so that a second run ends in the same rows and a changed lake is followed.
-- Only columns that are read are fetched from S3: the bodies stay there.
delete from public.reviews
where year >= cast(:first_year as integer);

insert into public.reviews (
    marketplace, customer_id, review_id, product_id, product_parent, product_title, star_rating,
    helpful_votes, total_votes, vine, verified_purchase, review_date, year, product_category
)
select
    marketplace,
    customer_id,
    review_id,
    product_id,
    product_parent,
    product_title,
    star_rating,
    helpful_votes,
    total_votes,
    vine,
    verified_purchase,
    review_date,
    year,
    product_category
from amzreviews.reviews
where year >= cast(:first_year as integer);
