// Dates and times of a report, in its own time zone and the page's language.

/** A calendar date ("2026-11-22") so many days later. */
export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00Z`) + days * 86400e3).toISOString().slice(0, 10);
}

/** "22 Nov 2026". */
export function longDate(date) {
  return inLanguage(date, { dateStyle: "medium" });
}

/** "22 Nov". */
export function shortDate(date) {
  return inLanguage(date, { day: "numeric", month: "short" });
}

/** The date of an instant (milliseconds) as "2026-11-22", in the report's zone. */
export function dateOf(instant, report) {
  return local(instant, report).slice(0, 10);
}

/** The time of day of an instant as "09:30". */
export function clock(instant, report) {
  return local(instant, report).slice(11, 16);
}

function local(instant, { zone, from }) {
  if (zone) return new Date(instant).toLocaleString("sv", { timeZone: zone }); // Swedes write ISO 8601
  // The service does not know its zone's name, only how far it is ahead of UTC.
  const ahead = Date.parse(`${from.slice(0, 19)}Z`) - Date.parse(from);
  return new Date(instant + ahead).toISOString().replace("T", " ");
}

function inLanguage(date, style) {
  const { lang } = document.documentElement;
  return new Date(`${date}T00:00Z`).toLocaleDateString(lang === "en" ? "en-GB" : lang, { timeZone: "UTC", ...style });
}
