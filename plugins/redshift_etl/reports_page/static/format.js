// Numbers, dates and durations for people.

const LOCALE = "en-US";
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat(LOCALE, {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 0,
});
const cents = new Intl.NumberFormat(LOCALE, { style: "currency", currency: "USD" });
const short = new Intl.NumberFormat(LOCALE, { style: "currency", currency: "USD", notation: "compact" });
const days = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const weekdays = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: "UTC" });

const NONE = "–";
const orNone = (format) => (value) => (value === null || value === undefined ? NONE : format(value));
// The minus sign is as wide as a digit and is not read as a hyphen.
const minus = (text) => text.replace("-", "−");

export const count = orNone((value) => minus(whole.format(value)));
export const money = orNone((value) => minus(dollars.format(value)));
export const moneyExact = orNone((value) => minus(cents.format(value)));
export const moneyShort = (value) => minus(short.format(value));

export const day = orNone((value) => days.format(new Date(`${value}T00:00:00Z`)));
export const dayOfYear = (value) => day(value).replace(/ \d{4}$/, "");
export const weekday = (value) => weekdays.format(new Date(`${value}T00:00:00Z`));

export function percent(value, digits = 1) {
  if (value === null || value === undefined) return NONE;
  const number = Number(value);
  const sign = number > 0 ? "+" : number < 0 ? "−" : "±";
  return `${sign}${Math.abs(number).toFixed(digits)} %`;
}

export function instant(value, timeZone) {
  if (!value) return NONE;
  const options = {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone,
    timeZoneName: "short",
  };
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(value));
}

export function clock(value, timeZone) {
  const options = { hour: "2-digit", minute: "2-digit", timeZone };
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(value));
}

export function seconds(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 10 && !Number.isInteger(value)) return `${value.toFixed(value < 1 ? 2 : 1)} s`;
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 60)
    return `${minutes} min ${String(Math.round(value - 60 * minutes) % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function about(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 1440)} days`;
}
