// How fresh the store sales reports are, beside the deadline of the settings.
import { card, element, table } from "./dom.js";
import { about, clock, count, day, instant } from "./format.js";
import { report } from "./read.js";

function verdict(found) {
  const [due, now, ready] = [found.due, found.now, found.ready_at].map((one) => new Date(one));
  const at = found.due ? clock(found.due, found.timezone) : "";
  const dates = found.reports
    .map((one) => one.refresh_date)
    .filter(Boolean)
    .sort();
  const latest = dates.length ? `Latest day ${day(dates.at(-1))}` : "No report yet";
  switch (found.status) {
    case "ready":
      return ["good", "✓", `Fresh: ${day(found.expected)} was ready ${about(due - ready)} before ${at}`];
    case "ready_late":
      return ["warn", "!", `Ready, ${about(ready - due)} late: ${day(found.expected)} was due at ${at}`];
    case "due":
      return ["calm", "○", `${day(found.expected)} is due at ${at}, in ${about(due - now)}. ${latest}`];
    case "late":
      return [
        "bad",
        "✕",
        `Late: ${day(found.expected)} was due at ${at}, ${about(now - due)} ago. ${latest}`,
      ];
    case "no_deadline":
      return ["calm", "○", `${latest}; no deadline is set`];
    default:
      return ["calm", "○", `${latest}; runs are started by hand, without a deadline`];
  }
}

function badge(found) {
  const [kind, symbol, text] = verdict(found);
  return [
    element("span", { class: `dot ${kind}`, "aria-hidden": "true" }, symbol),
    element("span", {}, text),
  ];
}

export async function showFreshness(place) {
  try {
    place.replaceChildren(...badge(await report("freshness")));
  } catch {
    place.replaceChildren(element("span", { class: "muted" }, "How fresh the reports are is not known now"));
  }
}

export async function freshness() {
  const found = await report("freshness");
  const columns = [
    { title: "Report", cell: (row) => row.report.replaceAll("_", " "), head: true },
    { title: "Latest day", cell: (row) => day(row.refresh_date), number: true },
    { title: "Rows", cell: (row) => count(row.rows), number: true },
    { title: "Published", cell: (row) => instant(row.published_at, found.timezone), number: true },
  ];
  const rule = found.due
    ? `A scheduled run loads the day before; its reports must be ready by ${clock(found.due, found.timezone)} (${found.timezone}).`
    : "Only scheduled runs have a deadline: set schedule and deadline in [redshift_etl].";
  return {
    render: () => [
      element("div", { class: "heading" }, element("h2", {}, "Freshness")),
      card(null, element("p", { class: "verdict" }, ...badge(found)), element("p", { class: "muted" }, rule)),
      card("Reports", table("Reports with their latest day", columns, found.reports)),
    ],
  };
}
