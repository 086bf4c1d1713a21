// Runs with how long they took, and one of them by task and by statement.
import { chart } from "./charts.js";
import { airflowLink, card, element, picker, table, toolbar } from "./dom.js";
import { count, day, instant, seconds } from "./format.js";
import { airflow, Problem, report } from "./read.js";

const RUNS = 12;
const SLOWEST = 12;
const DAGS = ["store_sales_etl", "reviews_etl"];
const SYMBOLS = { success: "✓", failed: "✕", running: "▶", upstream_failed: "⊘", skipped: "→", up_for_retry: "↻" };
const ACTIVE = ["queued", "running"];

function state(one) {
  const name = one.state ?? "no_status";
  const symbol = element("span", { "aria-hidden": "true" }, `${SYMBOLS[name] ?? "○"} `);
  return element("span", { class: `state ${name}` }, symbol, name.replaceAll("_", " "));
}

const loads = (run) => run.conf?.refresh_date ?? run.logical_date?.slice(0, 10) ?? null;
const length = (one) => (one.start_date ? (new Date(one.end_date ?? Date.now()) - new Date(one.start_date)) / 1000 : null);
const stateColor = (one, color) => color(one.state === "failed" ? "bad" : one.state === "success" ? "good" : "calm");

// An axis of durations has steps that people know: five minutes rather than three minutes and twenty seconds.
function durations(longest) {
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((one) => longest / one <= 8) ?? 7200;
  return { stepSize: step, callback: (value) => seconds(value) };
}

function history(shown, dag, go) {
  const summary = `Bar chart of the duration of the last ${shown.length} runs of ${dag}, the latest on the right.`;
  const inOrder = shown.toReversed();
  return chart(summary, 180, ({ axis, color }) => ({
    type: "bar",
    data: {
      labels: inOrder.map((run) => (loads(run) ? day(loads(run)).replace(/ \d{4}$/, "") : instant(run.run_after))),
      datasets: [{ data: inOrder.map(length), backgroundColor: inOrder.map((run) => stateColor(run, color)), borderRadius: 3, maxBarThickness: 36 }],
    },
    options: {
      onClick: (_, [hit]) => hit && go({ dag, run: inOrder[hit.index].dag_run_id }),
      scales: {
        x: axis({ lines: false, ticks: { maxRotation: 0, autoSkipPadding: 12 } }),
        y: axis({ beginAtZero: true, ticks: durations(2 * Math.max(...inOrder.map(length))) }),
      },
      plugins: {
        legend: { display: false },
        tooltip: { callbacks: { title: ([item]) => inOrder[item.dataIndex].dag_run_id, label: (item) => `${inOrder[item.dataIndex].state}, ${seconds(item.parsed.y)}` } },
      },
    },
  }));
}

// A task's statements run one after another from when they were sent.
function bars(statements, start) {
  const next = {};
  return statements.map((one) => {
    const sent = (new Date(one.submitted_at) - start) / 1000;
    const from = Math.max(sent, next[one.task_id] ?? 0);
    next[one.task_id] = from + one.duration_seconds;
    return { x: [from, from + one.duration_seconds], y: one.task_id, one };
  });
}

function gantt(run, tasks, statements) {
  const start = new Date(run.start_date);
  const since = (instantText) => (new Date(instantText ?? Date.now()) - start) / 1000;
  const slowest = tasks.reduce((most, task) => (length(task) > length(most) ? task : most));
  const summary = `Gantt chart of ${tasks.length} tasks over ${seconds(length(run))}. The longest is ${slowest.task_id} with ${seconds(length(slowest))}.`;
  const tip = (item) => {
    const { one } = item.raw;
    if (one.statement) return `${one.statement_number}: ${one.statement.slice(0, 70)} (${seconds(one.duration_seconds)})`;
    return `${one.state}, ${seconds(length(one))}`;
  };
  return chart(summary, 70 + 24 * tasks.length, ({ axis, color }) => ({
    type: "bar",
    data: {
      labels: tasks.map((task) => task.task_id),
      datasets: [
        { label: "Statement", grouped: false, data: bars(statements, start), backgroundColor: color("accent"), barThickness: 6, minBarLength: 2, order: 0 },
        {
          label: "Task",
          grouped: false,
          data: tasks.map((task) => ({ x: [since(task.start_date), since(task.end_date)], y: task.task_id, one: task })),
          backgroundColor: tasks.map((task) => color(task.state === "failed" ? "bad-fill" : "task")),
          barThickness: 16,
          borderRadius: 3,
          minBarLength: 2,
          order: 1,
        },
      ],
    },
    options: {
      indexAxis: "y",
      scales: {
        x: axis({ min: 0, position: "top", ticks: durations(length(run)) }),
        y: axis({ lines: false, ticks: { color: color("ink"), autoSkip: false } }),
      },
      plugins: { tooltip: { callbacks: { label: tip } }, legend: { labels: { generateLabels: (made) => legend(made, color) } } },
    },
  }));
}

function legend(_, color) {
  const entry = (text, fillStyle) => ({ text, fillStyle, strokeStyle: fillStyle, fontColor: color("ink"), lineWidth: 0 });
  return [entry("Task", color("task")), entry("Its statements in Redshift", color("accent"))];
}

async function recorded(dag, run) {
  try {
    return { statements: (await report(`statement-runs/${dag}`, { run_id: run.dag_run_id })).statements };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { statements: [], why: problem.message };
  }
}

function statementTable(statements, caption) {
  const longest = Math.max(0.001, ...statements.map((one) => one.duration_seconds));
  const bar = (one) => {
    const made = element("span", { class: "bar", "aria-hidden": "true" });
    made.style.setProperty("--share", `${(100 * one.duration_seconds) / longest}%`);
    return [made, element("span", { class: "digits" }, seconds(one.duration_seconds))];
  };
  const columns = [
    { title: "Task", cell: (one) => one.task_id, head: true },
    { title: "#", cell: (one) => String(one.statement_number), number: true },
    { title: "Statement", cell: (one) => [element("code", {}, one.statement), one.error ? element("span", { class: "down block" }, one.error) : null], class: "wide" },
    { title: "Rows", cell: (one) => count(one.row_count), number: true },
    { title: "Duration", cell: bar, number: true },
  ];
  return table(caption, columns, statements);
}

// All statements of a run are a hundred; what a reader asks is which were slow, or what one task did.
function statementCard(statements, parameters, go) {
  const names = [...new Set(statements.map((one) => one.task_id))];
  const task = names.includes(parameters.task) ? parameters.task : "";
  const slowest = statements.toSorted((a, b) => b.duration_seconds - a.duration_seconds).slice(0, SLOWEST);
  const choices = [["", `The ${slowest.length} slowest`], ...names.map((one) => [one, one])];
  const chosen = task ? statements.filter((one) => one.task_id === task) : slowest;
  const caption = task ? `Statements of ${task}, in their order` : `The ${slowest.length} slowest statements of the run`;
  return card(
    "Statements",
    toolbar(picker("Statements of", "statements-of", choices, task, (value) => go({ ...parameters, task: value }))),
    statementTable(chosen, caption),
  );
}

async function details(dag, run, parameters, go) {
  const path = `dags/${dag}/dagRuns/${encodeURIComponent(run.dag_run_id)}/taskInstances`;
  const [{ task_instances: all }, { statements, why }] = await Promise.all([airflow(path, { limit: 200 }), recorded(dag, run)]);
  const tasks = all.filter((task) => task.start_date).sort((a, b) => new Date(a.start_date) - new Date(b.start_date));
  const sent = (task) => statements.filter((one) => one.task_id === task.task_id);
  const columns = [
    { title: "Task", cell: (task) => task.task_id, head: true },
    { title: "State", cell: state },
    { title: "Began after", cell: (task) => (task.start_date ? seconds((new Date(task.start_date) - new Date(run.start_date)) / 1000) : "–"), number: true },
    { title: "Duration", cell: (task) => seconds(length(task)), number: true },
    { title: "Statements", cell: (task) => (sent(task).length ? count(sent(task).length) : "–"), number: true },
    { title: "In Redshift", cell: (task) => (sent(task).length ? seconds(sent(task).reduce((sum, one) => sum + one.duration_seconds, 0)) : "–"), number: true },
  ];
  const rest = all.filter((task) => !task.start_date);
  return () => [
    card(
      "Where the time went",
      element("p", { class: "muted" }, `${run.dag_run_id} · began ${instant(run.start_date)} · `, airflowLink(`dags/${dag}/runs/${encodeURIComponent(run.dag_run_id)}`, "Open in the grid")),
      tasks.length ? gantt(run, tasks, statements.filter((one) => tasks.some((task) => task.task_id === one.task_id))) : element("p", {}, "No task has begun yet."),
    ),
    card("Tasks", table(`Tasks of ${run.dag_run_id}`, columns, [...tasks, ...rest])),
    statements.length ? statementCard(statements, parameters, go) : card("Statements", element("p", { class: "muted" }, why ?? "This run has sent none.")),
  ];
}

export async function runs(parameters, go) {
  const dag = DAGS.includes(parameters.dag) ? parameters.dag : DAGS[0];
  const { dag_runs: found } = await airflow(`dags/${dag}/dagRuns`, { limit: RUNS, order_by: "-run_after" });
  const choose = toolbar(picker("Pipeline", "dag", DAGS.map((one) => [one, one]), dag, (value) => go({ dag: value })));
  const heading = element("div", { class: "heading" }, element("h2", {}, "Runs"), choose);
  if (!found.length) {
    const text = `${dag} has not run yet: trigger it, and watch it here.`;
    return { render: () => [heading, card("No runs yet", element("p", {}, text), element("p", {}, airflowLink(`dags/${dag}`, `Open ${dag}`)))] };
  }
  const chosen = found.find((run) => run.dag_run_id === parameters.run) ?? found[0];
  const more = chosen.start_date ? await details(dag, chosen, { dag, run: chosen.dag_run_id, task: parameters.task }, go) : () => [];
  const open = (run) => element("a", { id: `run-${run.dag_run_id}`, href: `#runs?${new URLSearchParams({ dag, run: run.dag_run_id })}` }, run.dag_run_id);
  const columns = [
    { title: "Run", cell: open, head: true },
    { title: "State", cell: state },
    { title: "Refresh date", cell: (run) => day(loads(run)), number: true },
    { title: "Began", cell: (run) => instant(run.start_date), number: true },
    { title: "Duration", cell: (run) => seconds(length(run)), number: true },
  ];
  return {
    again: found.some((run) => ACTIVE.includes(run.state)) ? 5000 : null,
    render: () => [
      heading,
      card(`The last ${found.length} runs`, history(found, dag, go), table(`The last runs of ${dag}, the latest first`, columns, found, { current: (run) => run === chosen })),
      ...more(),
    ],
  };
}
