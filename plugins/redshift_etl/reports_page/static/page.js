// Shows the view that the address names (#city?state=OH&city=Bethel), and what to do when it cannot be shown.
import { forgetCharts } from "./charts.js";
import { city } from "./city.js";
import { airflowLink, element, hidden, message } from "./dom.js";
import { freshness, showFreshness } from "./freshness.js";
import { reviews } from "./reviews.js";
import { runs } from "./runs.js";
import { weekly } from "./weekly.js";

const VIEWS = { weekly, city, reviews, runs, "freshness-details": freshness };
const main = document.getElementById("main");
let name = null;
let turn = 0;
let timer = null;

function here() {
  const [view, parameters] = location.hash.slice(1).split("?");
  return [view, Object.fromEntries(new URLSearchParams(parameters))];
}

function go(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  location.hash = `${name}?${new URLSearchParams(given)}`;
}

function nothingYet(text) {
  return message(
    "Nothing to show yet",
    text,
    element(
      "p",
      {},
      airflowLink("dags/store_sales_etl", "Open store_sales_etl"),
      " · ",
      airflowLink("dags/reviews_etl", "Open reviews_etl"),
    ),
  );
}

function trouble(problem) {
  const again = element("button", { type: "button", click: () => show() }, "Try again");
  if (problem.status === 404) return nothingYet(problem.message);
  if (problem.status === 401) {
    return message(
      "Your session has ended",
      "Log in to Airflow again; you come back to its home page.",
      element("p", {}, airflowLink("", "Log in")),
    );
  }
  if (problem.status === 403) {
    return message(
      "You may not see this report",
      "Ask an administrator of Airflow for the right to read the DAG that makes it, with its runs and its logs.",
    );
  }
  if (problem.status === 422) {
    const latest = element("p", {}, element("a", { href: `#${name}` }, "Show the latest"));
    return message("This address names what cannot be", problem.message, latest);
  }
  return message("This report cannot be shown now", problem.message, again);
}

function skeleton() {
  return [hidden("Loading the report"), element("div", { class: "skeleton", "aria-hidden": "true" })];
}

async function show() {
  const [asked, parameters] = here();
  const known = Object.hasOwn(VIEWS, asked);
  if (!known && name) return; // a link within the page that is open
  const view = known ? asked : "weekly";
  const focused = document.activeElement?.id;
  const mine = ++turn;
  clearTimeout(timer);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.setAttribute("aria-busy", "true");
  if (view !== name) {
    forgetCharts();
    main.replaceChildren(...skeleton());
  }
  name = view;
  let content;
  try {
    content = await VIEWS[view](parameters, go);
  } catch (problem) {
    content = { render: () => [trouble(problem)] };
    if (problem.status === undefined) console.error(problem);
  }
  if (mine !== turn) return; // another view was asked for meanwhile
  forgetCharts();
  main.replaceChildren(...content.render());
  main.setAttribute("aria-busy", "false");
  if (focused) document.getElementById(focused)?.focus();
  if (content.again) timer = setTimeout(show, content.again);
}

addEventListener("hashchange", show);
show();
showFreshness(document.getElementById("freshness"));
