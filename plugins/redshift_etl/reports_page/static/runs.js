// The last runs of a pipeline with how long they took, and one of them in detail.
import { chart } from "./charts.js";
import { airflowLink, card, element, picker, table, toolbar } from "./dom.js";
import { day, dayOfYear, instant, seconds } from "./format.js";
import { airflow, report } from "./read.js";
import { details, durations, length, marked, state } from "./run.js";

const RUNS = 12;
const STORE_SALES = "store_sales_etl";
const DAGS = [STORE_SALES, "reviews_etl"];
const ACTIVE = ["queued", "running"];

const stateColor = (run) => (run.state === "failed" ? "bad" : run.state === "success" ? "good" : "calm");

// The day that each run loads, by its id; only store sales are loaded by the day.
async function refreshDates(dag, found) {
  if (dag !== STORE_SALES) return {};
  const { refresh_dates: dates } = await report("refresh-dates", {
    run_id: found.map((run) => run.dag_run_id),
  });
  return dates;
}

function history(shown, dag, dates, go) {
  const summary = `Bar chart of the duration of the last ${shown.length} runs of ${dag}, the latest on the right.`;
  const inOrder = shown.toReversed();
  return chart(summary, 180, ({ axis, color }) => ({
    type: "bar",
    data: {
      labels: inOrder.map((run) => {
        const date = dates[run.dag_run_id];
        return marked(run, date ? dayOfYear(date) : instant(run.run_after));
      }),
      datasets: [
        {
          data: inOrder.map(length),
          // What failed is hollow.
          backgroundColor: inOrder.map((run) => color(run.state === "failed" ? "bad-soft" : stateColor(run))),
          borderColor: inOrder.map((run) => color(stateColor(run))),
          borderWidth: inOrder.map((run) => (run.state === "failed" ? 2 : 0)),
          borderRadius: 3,
          maxBarThickness: 36,
        },
      ],
    },
    options: {
      onClick: (_, [hit]) => hit && go({ dag, run: inOrder[hit.index].dag_run_id }),
      scales: {
        x: axis({ lines: false, ticks: { maxRotation: 0, autoSkipPadding: 12 } }),
        y: axis({ beginAtZero: true, ticks: durations(2 * Math.max(...inOrder.map(length))) }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: ([item]) => inOrder[item.dataIndex].dag_run_id,
            label: (item) => `${inOrder[item.dataIndex].state}, ${seconds(item.parsed.y)}`,
          },
        },
      },
    },
  }));
}

export async function runs(parameters, go) {
  const dag = DAGS.includes(parameters.dag) ? parameters.dag : DAGS[0];
  const { dag_runs: found } = await airflow(`dags/${dag}/dagRuns`, { limit: RUNS, order_by: "-run_after" });
  const choose = toolbar(
    picker(
      "Pipeline",
      "dag",
      DAGS.map((one) => [one, one]),
      dag,
      (value) => go({ dag: value }),
    ),
  );
  const heading = element("div", { class: "heading" }, element("h2", {}, "Runs"), choose);
  if (!found.length) {
    const text = `${dag} has not run yet: trigger it, and watch it here.`;
    return {
      render: () => [
        heading,
        card(
          "No runs yet",
          element("p", {}, text),
          element("p", {}, airflowLink(`dags/${dag}`, `Open ${dag}`)),
        ),
      ],
    };
  }
  const chosen = found.find((run) => run.dag_run_id === parameters.run) ?? found[0];
  const [dates, more] = await Promise.all([
    refreshDates(dag, found),
    chosen.start_date
      ? details(dag, chosen, { dag, run: chosen.dag_run_id, task: parameters.task }, go)
      : () => [],
  ]);
  const open = (run) =>
    element(
      "a",
      { id: `run-${run.dag_run_id}`, href: `#runs?${new URLSearchParams({ dag, run: run.dag_run_id })}` },
      run.dag_run_id,
    );
  const refreshDate = { title: "Refresh date", cell: (run) => day(dates[run.dag_run_id]), number: true };
  const columns = [
    { title: "Run", cell: open, head: true },
    { title: "State", cell: state },
    ...(dag === STORE_SALES ? [refreshDate] : []),
    { title: "Began", cell: (run) => instant(run.start_date), number: true },
    { title: "Duration", cell: (run) => seconds(length(run)), number: true },
  ];
  return {
    again: found.some((run) => ACTIVE.includes(run.state)) ? 5000 : null,
    render: () => [
      heading,
      card(
        `The last ${found.length} runs`,
        history(found, dag, dates, go),
        table(`The last runs of ${dag}, the latest first`, columns, found, {
          current: (run) => run === chosen,
        }),
      ),
      ...more(),
    ],
  };
}
