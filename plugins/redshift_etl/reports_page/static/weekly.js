// Weekly store sales performance: this week up to the refresh date, beside the same days of the week before.
import { chart } from "./charts.js";
import { card, element, figures, hidden, picker, table, toolbar } from "./dom.js";
import { count, day, money, moneyExact, moneyShort, percent } from "./format.js";
import { report } from "./read.js";

const total = (stores, name) => stores.reduce((sum, store) => sum + Number(store[name] ?? 0), 0);

function change(value, digits) {
  const number = Number(value ?? 0);
  const [kind, symbol] = number > 0 ? ["up", "▲"] : number < 0 ? ["down", "▼"] : ["same", ""];
  return element(
    "span",
    { class: kind },
    element("span", { "aria-hidden": "true" }, symbol ? `${symbol} ` : ""),
    percent(value, digits),
  );
}

function rank(store) {
  const moved = store.rank_change;
  const note = moved === null ? "new" : moved > 0 ? `▲ ${moved}` : moved < 0 ? `▼ ${-moved}` : "";
  const words =
    moved === null ? "new" : moved > 0 ? `up ${moved}` : moved < 0 ? `down ${-moved}` : "unchanged";
  const kind = moved > 0 ? "up" : moved < 0 ? "down" : "muted";
  return [
    String(store.sales_rank),
    element("span", { class: `rank ${kind}`, "aria-hidden": "true" }, note),
    hidden(`, ${words}`),
  ];
}

function name(store) {
  return [
    store.store_name || store.store_id,
    element("span", { class: "place" }, `${store.city}, ${store.state}, ${store.country}`),
  ];
}

const COLUMNS = [
  { title: "Rank", cell: rank, class: "ranked" },
  { title: "Store", cell: name, head: true },
  { title: "Net sales", cell: (store) => moneyExact(store.net_sales), number: true },
  { title: "Change", cell: (store) => change(store.net_sales_change_percent, 2), number: true },
  { title: "Week before", cell: (store) => moneyExact(store.previous_net_sales), number: true },
  { title: "Orders", cell: (store) => count(store.orders), number: true },
  { title: "Units", cell: (store) => count(store.quantity), number: true },
  { title: "Net profit", cell: (store) => moneyExact(store.net_profit), number: true },
];

function comparison(stores) {
  const best = stores[0];
  const summary = `Bar chart of net sales by store, this week beside the week before. ${best.store_name} leads with ${money(best.net_sales)}.`;
  return chart(summary, 64 + 58 * stores.length, ({ axis, color }) => ({
    type: "bar",
    data: {
      labels: stores.map((store) => store.store_name || store.store_id),
      datasets: [
        {
          label: "This week",
          data: stores.map((store) => Number(store.net_sales)),
          backgroundColor: color("accent"),
          borderRadius: 3,
        },
        {
          label: "Same days of the week before",
          data: stores.map((store) => Number(store.previous_net_sales ?? 0)),
          backgroundColor: color("pale"),
          borderColor: color("edge"),
          borderWidth: 1,
          borderSkipped: false,
          borderRadius: 3,
        },
      ],
    },
    options: {
      indexAxis: "y",
      categoryPercentage: 0.72,
      barPercentage: 0.92,
      scales: {
        x: axis({ beginAtZero: true, ticks: { callback: moneyShort, maxTicksLimit: 6 } }),
        y: axis({ lines: false, ticks: { color: color("ink") } }),
      },
      plugins: {
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${money(item.parsed.x)}` } },
      },
    },
  }));
}

export async function weekly(parameters, go) {
  const {
    refresh_date: asOf,
    refresh_dates: days,
    stores,
  } = await report("weekly-store-performance", {
    refresh_date: parameters.as_of,
  });
  const choices = days.map((one) => [one, day(one)]);
  const choose = toolbar(picker("As of", "as-of", choices, asOf, (value) => go({ as_of: value })));
  if (!stores.length) {
    const text =
      "No store of the report's region sold anything in this week or the one before. Choose another day.";
    return { render: () => [choose, card("Nothing sold", element("p", {}, text))] };
  }
  const week = stores[0];
  const [now, before, profit] = ["net_sales", "previous_net_sales", "net_profit"].map((one) =>
    total(stores, one),
  );
  const [orders, units] = [total(stores, "orders"), total(stores, "quantity")];
  return {
    render: () => [
      element(
        "div",
        { class: "heading" },
        element("h2", {}, `Store sales in ${week.region}, ${day(week.week_start)} to ${day(week.week_end)}`),
        choose,
      ),
      figures(
        [
          "Net sales",
          money(now),
          [before ? change((100 * (now - before)) / before) : null, before ? " on the week before" : null],
        ],
        ["Orders", count(orders), `in ${stores.length} stores`],
        ["Units", count(units), orders ? `${count(units / orders)} an order` : null],
        ["Net profit", money(profit), now ? `${percent((100 * profit) / now)} of net sales` : null],
      ),
      card("Net sales by store", comparison(stores)),
      card(
        "Week over week",
        table(`Weekly performance of ${stores.length} stores as of ${day(asOf)}`, COLUMNS, stores),
        element(
          "p",
          { class: "muted" },
          `The week up to ${day(asOf)} beside the same days of the week before.`,
        ),
      ),
    ],
  };
}
