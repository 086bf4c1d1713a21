// Reads from this plugin and from Airflow's API, as the person who is logged in.

export class Problem extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function get(path, parameters) {
  const url = new URL(path, document.baseURI);
  for (const [name, values] of Object.entries(parameters)) {
    for (const value of [values].flat()) {
      if (value !== null && value !== undefined && value !== "") url.searchParams.append(name, value);
    }
  }
  let response;
  try {
    response = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  } catch {
    throw new Problem(
      0,
      `Airflow does not answer at ${url.origin}: look whether its API server runs, and try again.`,
    );
  }
  if (response.ok) return response.json();
  const body = await response.json().catch(() => null);
  throw new Problem(response.status, wording(body?.detail) ?? `Airflow answered ${response.status}.`);
}

// A value that is refused comes with its name and the reason.
function wording(detail) {
  if (typeof detail === "string") return detail;
  return detail?.map?.((one) => `${one.loc.at(-1)} ${one.input}: ${one.msg}.`).join(" ");
}

export const report = (name, parameters = {}) => get(`api/${name}`, parameters);
export const airflow = (path, parameters = {}) => get(`../api/v2/${path}`, parameters);
