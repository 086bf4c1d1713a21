"""What the source systems have agreed to deliver: the columns of each extract.

The same names stand in `sql/store_sales`, in the tables that the extracts are read into; a test holds them
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """The columns that a file must have.

    Redshift would not say that they are others: COPY of Parquet takes columns by their position, whatever
    their names, and to Spectrum, which takes them by name, one that a file lacks is NULL.

    Attributes:
        names: Their names, in order.
        by_position: The file is read by COPY: exactly these names, in this order. False: by Spectrum, to
            which order and case are nothing, as are further columns.
    """

    names: tuple[str, ...]
    by_position: bool = True

    def fault(self, found: Sequence[str]) -> str | None:
        """Tell what is wrong with a file's columns.

        Args:
            found: The names of the file's columns.

        Returns:
            What is to follow the file's name in a sentence; None if nothing is wrong.
        """
        present = list(found) if self.by_position else [name.lower() for name in found]
        missing = [name for name in self.names if name not in present]
        extra = [name for name in found if name not in self.names] if self.by_position else []
        repeated = sorted({name for name in present if present.count(name) > 1 and name in self.names})
        wrong = [
            f"{what} {', '.join(names)}"
            for what, names in (("lacks", missing), ("has in excess", extra), ("repeats", repeated))
            if names
        ]
        if not wrong and self.by_position and tuple(present) != self.names:
            wrong = [f"has its columns in another order than {', '.join(self.names)}"]
        return " and ".join(wrong) or None


EXTRACTS = {
    "store_sales": Columns(
        (
            "sold_date", "sold_time", "i_item_id", "c_customer_id", "cd_demo_sk", "hd_income_band_sk",
            "hd_buy_potential", "hd_dep_count", "hd_vehicle_count", "ca_address_id", "s_store_id",
            "p_promo_id", "ss_ticket_number", "ss_quantity", "ss_wholesale_cost", "ss_list_price",
            "ss_sales_price", "ss_ext_discount_amt", "ss_ext_sales_price", "ss_ext_wholesale_cost",
            "ss_ext_list_price", "ss_ext_tax", "ss_coupon_amt", "ss_net_paid", "ss_net_paid_inc_tax",
            "ss_net_profit",
        ),
        by_position=False,
    ),
    "customer": Columns(("c_customer_id", "c_current_addr_id", "c_first_name", "c_last_name")),
    "customer_address": Columns(("ca_address_id", "ca_city", "ca_state", "ca_zip", "ca_country")),
    "item": Columns(("i_item_id", "i_current_price", "i_category", "i_product_name")),
    "store": Columns(
        (
            "s_store_id", "s_store_name", "s_number_employees", "s_floor_space", "s_manager", "s_market_id",
            "s_division_name", "s_company_name", "s_city", "s_county", "s_state", "s_zip", "s_country",
            "s_gmt_offset", "s_tax_precentage",
        )
    ),
    "date_dim": Columns(
        (
            "d_date", "d_date_id", "d_day_name", "d_week_seq", "d_year", "d_moy", "d_dom", "d_quarter_name",
            "d_holiday", "d_weekend",
        )
    ),
    "household_demographics": Columns(
        ("hd_income_band_sk", "hd_buy_potential", "hd_dep_count", "hd_vehicle_count")
    ),
    "promotion": Columns(
        (
            "p_promo_id", "p_promo_name", "p_purpose", "p_channel_tv", "p_channel_email", "p_discount_active",
        )
    ),
}  # fmt: skip
"""By the name of the folder below `raw/`."""
