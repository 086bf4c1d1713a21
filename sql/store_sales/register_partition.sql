-- Makes the day's extract of store sales visible to Spectrum, as a partition of the external table. One that
-- is there already is pointed to where the extract lies now: it may have been registered for another bucket.

-- Several of these words are not in sqlfluff's grammar.
{% set day = refresh_date(dag_run, params) %}
alter table tpcds_lake.store_sales -- noqa: PRS
add if not exists partition (sale_date = '{{ day }}')
location 's3://{{ data_bucket }}/raw/store_sales/sale_date={{ day }}/';

alter table tpcds_lake.store_sales
partition (sale_date = '{{ day }}')
set location 's3://{{ data_bucket }}/raw/store_sales/sale_date={{ day }}/';
