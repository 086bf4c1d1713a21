// Chart.js, loaded when the first chart is wanted: tables and figures are on screen before it.
import { element } from "./dom.js";

let library = null;
let shown = [];

function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "static/Chart.bundle.js";
    script.addEventListener("load", () => resolve(window.Chart));
    script.addEventListener("error", () => reject(new Error("no Chart.js")));
    document.head.append(script);
  });
  return library;
}

export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axis({ lines = true, ticks, ...options }) {
  return {
    border: { display: false },
    grid: { color: color("line"), drawTicks: false, display: lines },
    ticks: { color: color("muted"), padding: 8, ...ticks },
    ...options,
  };
}

function configuration(make) {
  const config = make({ axis, color });
  const plain = { backgroundColor: color("ink"), titleColor: color("page"), bodyColor: color("page") };
  config.options = {
    animation: false,
    maintainAspectRatio: false,
    ...config.options,
    plugins: {
      ...config.options.plugins,
      legend: {
        align: "start",
        ...config.options.plugins?.legend,
        labels: {
          boxWidth: 10,
          boxHeight: 10,
          color: color("ink"),
          padding: 16,
          ...config.options.plugins?.legend?.labels,
        },
      },
      tooltip: {
        ...plain,
        cornerRadius: 6,
        padding: 10,
        displayColors: false,
        ...config.options.plugins?.tooltip,
      },
    },
  };
  return config;
}

function draw(one, Chart) {
  one.instance?.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  one.instance = new Chart(one.canvas, configuration(one.make));
}

// `summary` says in words what the chart shows; the numbers themselves are in a table below it.
export function chart(summary, pixels, make) {
  const canvas = element("canvas", { role: "img", "aria-label": summary });
  const frame = element("div", { class: "chart" }, canvas);
  frame.style.height = `${pixels}px`;
  const one = { canvas, make };
  shown.push(one);
  load().then(
    (Chart) => shown.includes(one) && draw(one, Chart),
    () => {
      const text = "Charts need the Python package chartkick: install it beside Airflow.";
      frame.replaceWith(element("p", { class: "muted" }, `${text} The table holds the same numbers.`));
    },
  );
  return frame;
}

export function forgetCharts() {
  for (const one of shown) one.instance?.destroy();
  shown = [];
}

addEventListener("themechange", async () => {
  if (!shown.length) return;
  const Chart = await load();
  for (const one of shown) draw(one, Chart);
});
