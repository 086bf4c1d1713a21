// One run by task and by statement.
import { chart } from "./charts.js";
import { airflowLink, bar, card, element, picker, table, toolbar } from "./dom.js";
import { count, instant, seconds } from "./format.js";
import { airflow, Problem, report } from "./read.js";

const SLOWEST = 12;
const SYMBOLS = {
  success: "✓",
  failed: "✕",
  running: "▶",
  upstream_failed: "⊘",
  skipped: "→",
  up_for_retry: "↻",
};

const symbol = (one) => SYMBOLS[one.state] ?? "○";

export function state(one) {
  const name = one.state ?? "no_status";
  const before = element("span", { "aria-hidden": "true" }, `${symbol(one)} `);
  return element("span", { class: `state ${name}` }, before, name.replaceAll("_", " "));
}

// A chart's label says with the table's symbol what its bar says with a color; nothing where all went well.
export const marked = (one, text) => (one.state === "success" ? text : `${symbol(one)} ${text}`);

export const length = (one) =>
  one.start_date ? (new Date(one.end_date ?? Date.now()) - new Date(one.start_date)) / 1000 : null;

// The task's name for people; a task that runs once for each of several things says which.
function label(task) {
  const which = task.rendered_map_index ?? (task.map_index >= 0 ? task.map_index : null);
  const name = task.task_display_name ?? task.task_id;
  return which === null ? name : `${name} [${which}]`;
}

const row = (task) => marked(task, label(task));

// An axis of durations has steps that people know: five minutes rather than three minutes and twenty seconds.
export function durations(longest) {
  const step =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((one) => longest / one <= 8) ?? 7200;
  return { stepSize: step, callback: (value) => seconds(value) };
}

// A task's statements run one after another from when they were sent.
function bars(statements, tasks, start) {
  const next = {};
  const labels = Object.fromEntries(tasks.map((task) => [task.task_id, row(task)]));
  const ofTasks = statements.filter((one) => one.task_id in labels);
  return ofTasks.map((one) => {
    const sent = (new Date(one.submitted_at) - start) / 1000;
    const from = Math.max(sent, next[one.task_id] ?? 0);
    next[one.task_id] = from + one.duration_seconds;
    return { x: [from, from + one.duration_seconds], y: labels[one.task_id], one };
  });
}

function gantt(run, tasks, statements) {
  const start = new Date(run.start_date);
  const since = (instantText) => (new Date(instantText ?? Date.now()) - start) / 1000;
  const slowest = tasks.reduce((most, task) => (length(task) > length(most) ? task : most));
  const summary = `Gantt chart of ${tasks.length} tasks over ${seconds(length(run))}. The longest is ${label(slowest)} with ${seconds(length(slowest))}.`;
  const tip = (item) => {
    const { one } = item.raw;
    if (one.statement)
      return `${one.statement_number}: ${one.statement.slice(0, 70)} (${seconds(one.duration_seconds)})`;
    return `${one.state}, ${seconds(length(one))}`;
  };
  return chart(summary, 70 + 24 * tasks.length, ({ axis, color }) => ({
    type: "bar",
    data: {
      labels: tasks.map(row),
      datasets: [
        {
          label: "Statement",
          grouped: false,
          data: bars(statements, tasks, start),
          backgroundColor: color("accent"),
          barThickness: 6,
          minBarLength: 2,
          order: 0,
        },
        {
          label: "Task",
          grouped: false,
          data: tasks.map((task) => ({
            x: [since(task.start_date), since(task.end_date)],
            y: row(task),
            one: task,
          })),
          backgroundColor: tasks.map((task) => color(task.state === "failed" ? "bad-soft" : "pale")),
          borderColor: tasks.map((task) => color(task.state === "failed" ? "bad" : "edge")),
          borderWidth: 1,
          borderSkipped: false,
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
      plugins: {
        tooltip: { callbacks: { label: tip } },
        legend: { labels: { generateLabels: () => legend(color) } },
      },
    },
  }));
}

function legend(color) {
  const entry = (text, fill, edge) => ({
    text,
    fillStyle: color(fill),
    strokeStyle: color(edge),
    fontColor: color("ink"),
    lineWidth: 1,
  });
  return [entry("Task", "pale", "edge"), entry("Its statements in Redshift", "accent", "accent")];
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
  const duration = (one) => bar(one.duration_seconds / longest, seconds(one.duration_seconds));
  const columns = [
    { title: "Task", cell: (one) => one.task_id, head: true },
    { title: "#", cell: (one) => String(one.statement_number), number: true },
    {
      title: "Statement",
      cell: (one) => [
        element("code", {}, one.statement),
        one.error ? element("span", { class: "down block" }, one.error) : null,
      ],
      class: "wide",
    },
    { title: "Rows", cell: (one) => count(one.row_count), number: true },
    { title: "Duration", cell: duration, number: true },
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
  const caption = task
    ? `Statements of ${task}, in their order`
    : `The ${slowest.length} slowest statements of the run`;
  return card(
    "Statements",
    toolbar(
      picker("Statements of", "statements-of", choices, task, (value) => go({ ...parameters, task: value })),
    ),
    statementTable(chosen, caption),
  );
}

export async function details(dag, run, parameters, go) {
  const path = `dags/${dag}/dagRuns/${encodeURIComponent(run.dag_run_id)}/taskInstances`;
  const [{ task_instances: all }, { statements, why }] = await Promise.all([
    airflow(path, { limit: 200 }),
    recorded(dag, run),
  ]);
  const tasks = all
    .filter((task) => task.start_date)
    .sort((a, b) => new Date(a.start_date) - new Date(b.start_date));
  const sent = (task) => statements.filter((one) => one.task_id === task.task_id);
  const columns = [
    { title: "Task", cell: label, head: true },
    { title: "State", cell: state },
    {
      title: "Began after",
      cell: (task) =>
        task.start_date ? seconds((new Date(task.start_date) - new Date(run.start_date)) / 1000) : "–",
      number: true,
    },
    { title: "Duration", cell: (task) => seconds(length(task)), number: true },
    {
      title: "Statements",
      cell: (task) => (sent(task).length ? count(sent(task).length) : "–"),
      number: true,
    },
    {
      title: "In Redshift",
      cell: (task) =>
        sent(task).length ? seconds(sent(task).reduce((sum, one) => sum + one.duration_seconds, 0)) : "–",
      number: true,
    },
  ];
  const rest = all.filter((task) => !task.start_date);
  return () => [
    card(
      "Where the time went",
      element(
        "p",
        { class: "muted" },
        `${run.dag_run_id} · began ${instant(run.start_date)} · `,
        airflowLink(`dags/${dag}/runs/${encodeURIComponent(run.dag_run_id)}`, "Open in the grid"),
      ),
      tasks.length ? gantt(run, tasks, statements) : element("p", {}, "No task has begun yet."),
    ),
    card("Tasks", table(`Tasks of ${run.dag_run_id}`, columns, [...tasks, ...rest])),
    statements.length
      ? statementCard(statements, parameters, go)
      : card("Statements", element("p", { class: "muted" }, why ?? "This run has sent none.")),
  ];
}
