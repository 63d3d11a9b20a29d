// Numbers, days and small pieces of page. Figures arrive as exact decimals and are only shown rounded.
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const monthName = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric', timeZone: 'UTC' });
const dayName = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const short = (value) => compact.format(value);
export const amount = (value) => (Math.abs(value) >= 10000 || Number.isInteger(value) ? whole : cents).format(value);
export const share = (value) => percent.format(value);
export const seconds = (day) => Date.parse(day + 'T00:00:00Z') / 1000;
export const month = (day) => monthName.format(seconds(day) * 1000);
export const day = (text) => dayName.format(seconds(text) * 1000);
/** "14:03" of today, else with its day. */
export const moment = (instant) => {
  const at = new Date(instant);
  return (at.toDateString() === new Date().toDateString() ? clock : dayAndClock).format(at);
};
/** Seconds for people: "40 s", "3 min". */
export const span = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);
export const bytes = (count) => (count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`);
export const isCurrency = (unit) => /^[A-Z]{3}$/.test(unit);

/** An element with attributes and children; text is always set as text, never as markup. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** A table with a caption for those who cannot see the chart; rows are arrays of texts. */
export function table(caption, heads, rows) {
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${caption}, table` },
    element('table', {},
      element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
      element('tbody', {}, ...rows.map((row) => element('tr', {},
        element('th', { scope: 'row' }, row[0]), ...row.slice(1).map((cell) => element('td', {}, cell)))))));
}
