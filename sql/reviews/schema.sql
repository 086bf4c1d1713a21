-- The lake's reviews as Spectrum sees them, and the warehouse's table of reviews.
-- Safe to repeat: it adds what is missing and changes nothing that is there. The partitions of the
-- external table are registered from what the lake holds, not here.
create external schema if not exists amzreviews
from data catalog
database 'amzreviews'
iam_role ${iam_role_arn}
create external database if not exists;

-- One row per review. Widths are bytes: Amazon cuts titles at 400 characters of up to four bytes, and
-- no headline or body may be cut or become NULL for its length. Spectrum cuts a text that is longer than its
-- column, without an error: what the warehouse keeps is wider here than there, so that one that is too long
-- for it gets there whole and is refused.
-- CREATE EXTERNAL TABLE has no IF NOT EXISTS.
-- unless: select 1 from svv_external_tables where schemaname = 'amzreviews' and tablename = 'reviews'
create external table amzreviews.reviews (
    marketplace varchar(256),
    customer_id varchar(256),
    review_id varchar(256),
    product_id varchar(256),
    product_parent varchar(256),
    product_title varchar(4096),
    star_rating integer,
    helpful_votes integer,
    total_votes integer,
    vine varchar(256),
    verified_purchase varchar(256),
    review_headline varchar(2048),
    review_body varchar(65535),
    review_date date,
    year integer
)
partitioned by (product_category varchar(40))
stored as parquet
location ${reviews_location};

-- One row per review of the years that were loaded. Reviews of a product lie together for its average.
create table if not exists public.reviews (
    marketplace varchar(10) encode zstd,
    customer_id varchar(15) encode zstd,
    review_id varchar(15) encode zstd,
    product_id varchar(25) encode zstd,
    product_parent varchar(15) encode zstd,
    product_title varchar(2048) encode zstd,
    star_rating integer encode az64,
    helpful_votes integer encode az64,
    total_votes integer encode az64,
    vine varchar(5) encode zstd,
    verified_purchase varchar(5) encode zstd,
    review_date date encode raw,
    year integer encode az64,
    product_category varchar(40) encode zstd
)
distkey (product_id)
sortkey (review_date);
