// The charts: months and series by uPlot, countries as bars of our own.
import { amount, day, element, month, seconds, share, short } from '/assets/format.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const live = new Map(); // host element -> its plot, to destroy or resize

const watcher = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const plot = live.get(target);
    if (plot && contentRect.width > 50) plot.setSize({ width: contentRect.width, height: plot.height });
  }
});

export function clear(host) {
  const plot = live.get(host.firstElementChild);
  if (plot) {
    plot.destroy();
    watcher.unobserve(host.firstElementChild);
    live.delete(host.firstElementChild);
  }
  host.replaceChildren();
}

function show(host, description, options, data) {
  clear(host);
  const at = element('div', { class: 'plot', role: 'img', 'aria-label': description });
  host.append(at);
  const plot = new uPlot({ width: Math.max(at.clientWidth, 200), ...options }, data, at);
  live.set(at, plot);
  watcher.observe(at);
}

const axes = () => {
  const line = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line') } };
  return [line, { ...line, size: 64, values: (_, ticks) => ticks.map((tick) => (tick == null ? '' : short(tick))) }];
};
const utc = (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC');

export function months(host, rows, unit) {
  const best = rows.reduce((a, b) => (b.revenue > a.revenue ? b : a), rows[0]);
  show(host, `Sales by month, ${month(rows[0].month)} to ${month(rows.at(-1).month)}; highest ${month(best.month)} with ${amount(best.revenue)} ${unit}.`, {
    height: 270, tzDate: utc, axes: axes(), cursor: { y: false },
    // Half a month of room on both sides, or the outer bars are cut.
    scales: { x: { range: (_, low, high) => [low - 15 * 86400, high + 15 * 86400] },
      y: { range: (_, low, high) => [Math.min(0, low * 1.05), Math.max(high * 1.05, 1)] } },
    series: [
      { label: 'Month', value: (_, at) => (at == null ? '–' : month(new Date(at * 1000).toISOString().slice(0, 10))) },
      { label: unit ? `Sales, ${unit}` : 'Sales', fill: colour('--accent'), stroke: colour('--accent'), width: 0, points: { show: false },
        paths: uPlot.paths.bars({ size: [0.7, 60] }), value: (_, value) => (value == null ? '–' : amount(value)) },
    ],
  }, [rows.map((row) => seconds(row.month)), rows.map((row) => row.revenue)]);
}

export function countries(host, rows, unit) {
  clear(host);
  const shown = rows.slice(0, 12);
  const most = Math.max(...shown.map((row) => row.revenue), 1);
  const list = element('ul', { class: 'rows' });
  for (const row of shown) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 1000 16');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    bar.setAttribute('width', Math.max(2, (1000 * Math.max(row.revenue, 0)) / most));
    bar.setAttribute('height', 16);
    svg.append(bar);
    list.append(element('li', {}, element('span', {}, row.country), element('span', {}, svg),
      element('span', { class: 'amount' }, `${amount(row.revenue)} · ${share(row.share)}`)));
  }
  host.append(list);
  const more = rows.length > shown.length ? `${rows.length - shown.length} more in the table` : '';
  const note = [unit && `Sales in ${unit}`, more].filter(Boolean).join(' · ');
  if (note) host.append(element('p', { class: 'note' }, note));
}

/** History, forecast and the 80 and 95 % bands. The last actual starts the forecast line, so that they join. */
export function series(host, found) {
  const { history, forecast } = found;
  const points = forecast.points;
  const x = [...history.map((at) => seconds(at.date)), ...points.map((at) => seconds(at.date))];
  const none = history.map(() => null);
  const bound = (level, side) => [...none, ...points.map((at) => at.intervals.find((band) => band.level === level)?.[side] ?? null)];
  const data = [x, [...history.map((at) => at.value), ...points.map(() => null)], [...none, ...points.map((at) => at.mean)],
    bound(95, 'high'), bound(95, 'low'), bound(80, 'high'), bound(80, 'low')];
  const value = (_, shown) => (shown == null ? '–' : amount(shown));
  const edge = (label) => ({ label, stroke: 'transparent', points: { show: false }, value });
  const start = x[Math.max(0, history.length - Math.max(points.length * 4, 60))] ?? x[0];
  const last = points.at(-1);
  show(host, `${found.series.label}: ${history.length} ${found.series.frequency} values to ${day(found.series.last)}` +
    (last ? `, then ${points.length} forecast values; the last is ${amount(last.mean)}.` : '; no forecast.') + ' Drag to zoom, double-click for all.', {
    height: 330, tzDate: utc, axes: axes(),
    scales: { x: { min: start, max: x.at(-1) }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(high * 1.05, 1)] } },
    series: [
      { label: 'Period', value: (_, at) => (at == null ? '–' : day(new Date(at * 1000).toISOString().slice(0, 10))) },
      { label: 'Actual', stroke: colour('--accent'), width: 1.5, points: { show: false }, value },
      { label: 'Forecast', stroke: colour('--forecast'), width: 2, dash: [6, 3], points: { show: false }, value },
      edge('95 % high'), edge('95 % low'), edge('80 % high'), edge('80 % low'),
    ],
    bands: [{ series: [3, 4], fill: colour('--band95') }, { series: [5, 6], fill: colour('--band80') }],
  }, data);
}
