// Daily sales of all stores of a city.
import { chart } from "./charts.js";
import { airflowLink, card, element, figures, picker, table, toolbar } from "./dom.js";
import { count, day, dayOfYear, money, moneyExact, moneyShort, weekday } from "./format.js";
import { report } from "./read.js";

const COLUMNS = [
  {
    title: "Day",
    cell: (row) => [element("span", { class: "weekday" }, weekday(row.sale_date)), day(row.sale_date)],
    head: true,
  },
  { title: "Stores", cell: (row) => count(row.stores), number: true },
  { title: "Orders", cell: (row) => count(row.orders), number: true },
  { title: "Units", cell: (row) => count(row.quantity), number: true },
  { title: "Net sales", cell: (row) => moneyExact(row.net_sales), number: true },
  { title: "Net profit", cell: (row) => moneyExact(row.net_profit), number: true },
];

function pickers(found, go) {
  const states = [...new Set(found.cities.map((one) => one.state))];
  const inState = found.cities.filter((one) => one.state === found.state);
  const firstOf = (state) =>
    found.cities.find((one) => one.state === state && one.reported) ??
    found.cities.find((one) => one.state === state);
  return toolbar(
    picker(
      "State",
      "state",
      states.map((one) => [one, one]),
      found.state,
      (state) => go({ state, city: firstOf(state).city }),
    ),
    picker(
      "City",
      "city-name",
      inState.map((one) => [one.city, one.reported ? one.city : `${one.city} (not reported)`]),
      found.city,
      (city) => go({ state: found.state, city }),
    ),
  );
}

function sales(days, place) {
  const best = days.reduce((most, row) => (Number(row.net_sales) > Number(most.net_sales) ? row : most));
  const summary = `Bar chart of net sales in ${place} on ${days.length} days. The best day is ${day(best.sale_date)} with ${money(best.net_sales)}.`;
  return chart(summary, 280, ({ axis, color }) => ({
    type: "bar",
    data: {
      labels: days.map((row) => dayOfYear(row.sale_date)),
      datasets: [
        {
          data: days.map((row) => Number(row.net_sales)),
          backgroundColor: color("accent"),
          borderRadius: 3,
          maxBarThickness: 36,
        },
      ],
    },
    options: {
      scales: {
        x: axis({ lines: false, ticks: { maxRotation: 0, autoSkipPadding: 12 } }),
        y: axis({ beginAtZero: true, ticks: { callback: moneyShort, maxTicksLimit: 6 } }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: ([item]) =>
              `${weekday(days[item.dataIndex].sale_date)} ${day(days[item.dataIndex].sale_date)}`,
            label: (item) => `${money(item.parsed.y)}, ${count(days[item.dataIndex].orders)} orders`,
          },
        },
      },
    },
  }));
}

export async function city(parameters, go) {
  const found = await report("daily-city-sales", { state: parameters.state, city: parameters.city });
  const place = `${found.city}, ${found.state}`;
  const heading = element(
    "div",
    { class: "heading" },
    element("h2", {}, `Daily sales in ${place}`),
    pickers(found, go),
  );
  if (!found.days.length) {
    const text = `Reports hold the city that the run's parameters name. Trigger store_sales_etl with city ${found.city} and state ${found.state}, and look again when its run is green.`;
    return {
      render: () => [
        heading,
        card(
          `No report of ${place} yet`,
          element("p", {}, text),
          element("p", {}, airflowLink("dags/store_sales_etl", "Open store_sales_etl")),
        ),
      ],
    };
  }
  const week = found.days.slice(-7);
  const total = (name) => week.reduce((sum, row) => sum + Number(row[name]), 0);
  return {
    render: () => [
      heading,
      figures(
        ["Net sales", money(total("net_sales")), `last ${week.length} days`],
        ["Orders", count(total("orders")), `last ${week.length} days`],
        ["Sales per order", total("orders") ? money(total("net_sales") / total("orders")) : "–"],
        ["Latest day", moneyExact(week.at(-1).net_sales), day(week.at(-1).sale_date)],
      ),
      card("Net sales by day", sales(found.days, place)),
      card(
        "Day by day",
        table(`Daily sales in ${place}, the latest day first`, COLUMNS, found.days.toReversed()),
      ),
    ],
  };
}
