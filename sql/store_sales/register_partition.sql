-- Makes the day's extract of store sales visible to Spectrum, as a partition of the external table.

-- Several of these words are not in sqlfluff's grammar.
{% set day = refresh_date(dag_run, params) %}
alter table tpcds_lake.store_sales -- noqa: PRS
add if not exists partition (sale_date = '{{ day }}')
location 's3://{{ data_bucket }}/raw/store_sales/sale_date={{ day }}/';
