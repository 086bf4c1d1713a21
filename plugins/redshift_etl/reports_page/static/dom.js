// Builds the page's elements. Text only ever becomes a text node, so a value cannot be markup.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function hidden(text) {
  return element("span", { class: "visually-hidden" }, text);
}

export function card(heading, ...children) {
  return element("section", { class: "card" }, heading ? element("h2", {}, heading) : null, ...children);
}

export function figures(...entries) {
  const list = entries.map(([label, value, note]) =>
    element(
      "div",
      { class: "figure" },
      element("dt", {}, label),
      element(
        "dd",
        {},
        element("span", { class: "value" }, value),
        note ? element("span", { class: "note" }, note) : null,
      ),
    ),
  );
  return element("dl", { class: "figures" }, list);
}

// Columns: { title, cell, number, head }. `head` marks the cell that names its row.
export function table(caption, columns, rows, options = {}) {
  const align = (column) => (column.number ? "number" : null);
  const header = columns.map((column) => element("th", { scope: "col", class: align(column) }, column.title));
  const body = rows.map((row) =>
    element(
      "tr",
      { "aria-current": options.current?.(row) ? "true" : null },
      columns.map((column) => {
        const attributes = { class: column.class ?? align(column), scope: column.head ? "row" : null };
        return element(column.head ? "th" : "td", attributes, column.cell(row));
      }),
    ),
  );
  return element(
    "div",
    // Wide tables scroll in themselves, by keyboard too.
    { class: "scroll", role: "region", tabindex: "0", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", { class: "visually-hidden" }, caption),
      element("thead", {}, element("tr", {}, header)),
      element("tbody", {}, body),
    ),
  );
}

// `choices` are [value, text] pairs; `chosen` is called with the value.
export function picker(label, id, choices, selected, chosen) {
  const options = choices.map(([value, text]) =>
    element("option", { value, selected: value === selected }, text),
  );
  return element(
    "div",
    { class: "picker" },
    element("label", { for: id }, label),
    element("select", { id, change: (event) => chosen(event.target.value) }, options),
  );
}

// A number with a bar beside it, as long as its share of the longest: from 0 to 1.
export function bar(share, text) {
  const made = element("span", { class: "bar", "aria-hidden": "true" });
  made.style.setProperty("--share", `${100 * share}%`);
  return [made, element("span", { class: "digits" }, text)];
}

export function toolbar(...children) {
  return element("div", { class: "toolbar" }, ...children);
}

export function message(title, text, ...actions) {
  return element(
    "section",
    { class: "card message" },
    element("h2", {}, title),
    element("p", {}, text),
    ...actions,
  );
}

// A link to a page of Airflow. The frame's sandbox forbids it to navigate the window around it, so the window
// around it follows a link of its own.
export function airflowLink(path, text) {
  const href = new URL(`../${path}`, document.baseURI).href;
  const follow = (event) => {
    if (window.parent === window) return;
    event.preventDefault();
    const link = window.parent.document.createElement("a");
    link.href = href;
    link.click();
  };
  return element("a", { href, click: follow }, text);
}
