-- Lines of the refresh date's extract whose money cannot be right, each with the first rule that it breaks.
-- The bounds are those of TPC-DS: costs up to 100, a list price of at most twice the cost. Empty amounts are
-- unknown, not wrong. The day is refused before the fact is touched.
with line as (
    select
        ss_ticket_number,
        i_item_id,
        ss_quantity,
        ss_wholesale_cost,
        ss_list_price,
        ss_sales_price,
        ss_ext_sales_price,
        ss_net_paid,
        case
            when ss_wholesale_cost < 0 or ss_wholesale_cost > 100
                then 'wholesale cost is not from 0 to 100'
            when ss_list_price < 0 or ss_list_price > 200
                then 'list price is not from 0 to 200'
            when ss_sales_price < 0 or ss_sales_price > ss_list_price
                then 'sales price is not from 0 to the list price'
            when ss_ext_discount_amt < 0 or ss_ext_tax < 0 or ss_coupon_amt < 0
                then 'a discount, tax or coupon is negative'
            when ss_ext_sales_price <> ss_quantity * ss_sales_price
                then 'sales are not quantity times sales price'
            when ss_net_paid <> ss_ext_sales_price - ss_coupon_amt
                then 'net paid is not sales less coupon'
            when ss_net_paid_inc_tax <> ss_net_paid + ss_ext_tax
                then 'net paid with tax is not net paid plus tax'
            when ss_net_profit <> ss_net_paid - ss_ext_wholesale_cost
                then 'net profit is not net paid less wholesale'
        end as problem
    from tpcds.stg_store_sales
    where sale_date = cast(:refresh_date as date)
)

select
    problem,
    ss_ticket_number,
    i_item_id,
    ss_quantity,
    ss_wholesale_cost,
    ss_list_price,
    ss_sales_price,
    ss_ext_sales_price,
    ss_net_paid
from line
where problem is not null;
