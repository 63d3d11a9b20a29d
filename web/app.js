// The dashboard. All state is in the URL: from, to, country, search, series, tables. Back, reload and sharing work.
import * as charts from '/assets/charts.js';
import { onDataChanged, startOperations } from '/assets/operations.js';
import { ask, reasonOf } from '/assets/requests.js';
import { amount, day, element, isCurrency, month, share, table } from '/assets/format.js';

const $ = (id) => document.getElementById(id);
const kNames = ['from', 'to', 'country', 'search', 'series', 'tables'];
let state = read();
let report = null;
let chosen = null;
let options = { rows: [], at: -1, next: null };

function read() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(kNames.map((name) => [name, query.get(name) ?? '']));
}

function write(change, replace = false) {
  state = { ...state, ...change };
  const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
  const url = query.size ? `?${query}` : location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
}

const tables = () => new Set(state.tables.split(',').filter(Boolean));

function failed(error, doing) {
  if (error.name === 'AbortError') return;
  const box = $('problem');
  box.replaceChildren(element('strong', {}, `${doing}: `), ...reasonOf(error));
  box.hidden = false;
}

function kpiCard(kpi) {
  const value = Number(kpi.value);
  const id = `definition-${kpi.name}`;
  const card = element('li', { class: 'kpi' },
    element('button', { class: 'name', type: 'button', 'aria-describedby': id }, kpi.label),
    element('div', { class: 'definition', id, role: 'tooltip' }, kpi.definition),
    element('div', { class: 'value' }, amount(value), ' ', element('span', { class: 'unit' }, kpi.unit === kpi.name ? '' : kpi.unit)));
  const before = kpi.previous == null ? null : Number(kpi.previous);
  if (before) {
    const change = (value - before) / Math.abs(before);
    const good = kpi.name === 'returns' ? Math.abs(value) <= Math.abs(before) : change >= 0;
    card.append(element('div', { class: 'change' },
      element('span', { class: good ? 'up' : 'down' }, `${change >= 0 ? '▲' : '▼'} ${share(Math.abs(change))}`), ` from ${amount(before)} before`));
  } else {
    card.append(element('div', { class: 'change' }, before === 0 ? `from ${amount(0)} before` : 'no earlier period'));
  }
  return card;
}

function drawReport() {
  const unit = report.kpis.find((kpi) => isCurrency(kpi.unit))?.unit ?? '';
  $('kpis-title').textContent = `${day(report.from)} to ${day(report.to)}, compared with the equally long period before · data until ${day(report.data_until)}`;
  $('kpis').replaceChildren(...report.kpis.map(kpiCard));
  const asTable = tables();
  const months = $('months');
  if (!report.by_month.length) {
    charts.clear(months);
    months.append('No sales in this period.');
  } else if (asTable.has('months')) {
    charts.clear(months);
    months.append(table('Sales by month', ['Month', unit ? `Sales, ${unit}` : 'Sales', 'Orders', 'Units'],
      report.by_month.map((row) => [month(row.month), amount(row.revenue), amount(row.orders), amount(row.units)])));
  } else {
    charts.months(months, report.by_month, unit);
  }
  const countries = $('countries');
  if (asTable.has('countries')) {
    charts.clear(countries);
    countries.append(table('Sales by country', ['Country', unit ? `Sales, ${unit}` : 'Sales', 'Orders', 'Share'],
      report.by_country.map((row) => [row.country, amount(row.revenue), amount(row.orders), share(row.share)])));
  } else {
    charts.countries(countries, report.by_country, unit);
  }
}

const form = $('filters');
function fillForm() {
  form.from.value = state.from;
  form.to.value = state.to;
  const select = form.country;
  if (report && !state.country) {
    select.replaceChildren(element('option', { value: '' }, 'All'), ...report.by_country.map((row) => element('option', { value: row.country }, row.country)));
  } else if (state.country && ![...select.options].some((option) => option.value === state.country)) {
    select.append(element('option', { value: state.country }, state.country));
  }
  select.value = state.country;
  for (const button of document.querySelectorAll('.as-table')) button.setAttribute('aria-pressed', tables().has(button.dataset.for));
}

async function loadReport() {
  $('status').textContent = 'Loading…';
  try {
    report = await ask('kpis', '/api/v1/kpis', { from: state.from, to: state.to, country: state.country });
    $('figures').hidden = false;
    $('empty').hidden = true;
    $('status').textContent = '';
    fillForm();
    drawReport();
    return true;
  } catch (error) {
    if (error.name === 'AbortError') return false;
    $('status').textContent = '';
    if (error.status === 404) {
      $('empty').hidden = false;
      $('figures').hidden = true;
    } else {
      failed(error, 'The figures could not be loaded');
    }
    return false;
  }
}

function drawOptions() {
  const list = $('options');
  list.replaceChildren(...options.rows.map((row, i) => element('li', { role: 'option', id: `option-${i}`, 'data-id': row.id,
    'aria-selected': String(row.id === state.series), class: i === options.at ? 'at' : false },
  row.label, element('small', {}, `${row.id}${row.status === 'ok' ? '' : ` · ${row.status}`}`))));
  $('options-note').textContent = !options.rows.length ? 'No series matches.' : options.next ? `First ${options.rows.length}; type to narrow.` : `${options.rows.length} series`;
  const input = $('search');
  if (options.at >= 0) {
    input.setAttribute('aria-activedescendant', `option-${options.at}`);
    $(`option-${options.at}`).scrollIntoView({ block: 'nearest' });
  } else {
    input.removeAttribute('aria-activedescendant');
  }
}

async function loadOptions() {
  try {
    const page = await ask('options', '/api/v1/series', { search: state.search, limit: 50 });
    options = { rows: page.data, at: -1, next: page.next_cursor };
    if (!state.series && page.data.length) write({ series: page.data[0].id }, true);
    drawOptions();
  } catch (error) {
    failed(error, 'The series could not be listed');
  }
}

function drawSeries() {
  const { series, forecast, history: past } = chosen;
  $('series-name').textContent = series.label === series.id ? series.label : `${series.label} (${series.id})`;
  const fact = (name, value, kind) => element('div', {}, element('dt', {}, name), element('dd', { class: kind }, value));
  const error = (value) => (value == null ? 'unknown' : share(value));
  const better = forecast.wape != null && forecast.wape_seasonal_naive != null && forecast.wape <= forecast.wape_seasonal_naive;
  $('series-facts').replaceChildren(
    fact('Model', series.model ?? 'none'),
    fact('Back-test WAPE', error(forecast.wape), forecast.wape == null ? false : better ? 'up' : 'down'),
    fact('Seasonal naive', error(forecast.wape_seasonal_naive)),
    fact('Demand', series.demand_class ?? 'unknown'),
    fact('Measure', `${series.measure}, ${series.frequency}`),
    fact('Data until', day(forecast.data_until)));
  if (series.status !== 'ok') $('series-facts').append(fact('Status', `${series.status}${series.reason ? `: ${series.reason}` : ''}`, 'warn'));
  const host = $('series');
  if (tables().has('series')) {
    charts.clear(host);
    const bound = (point, level) => {
      const band = point.intervals.find((one) => one.level === level);
      return band ? `${amount(band.low)} – ${amount(band.high)}` : '';
    };
    host.append(table('Forecast and latest history', ['Period', 'Actual', 'Forecast', '80 %', '95 %'],
      [...forecast.points.map((point) => [day(point.date), '', amount(point.mean), bound(point, 80), bound(point, 95)]).reverse(),
        ...past.slice(-60).reverse().map((point) => [day(point.date), amount(point.value), '', '', ''])]));
  } else {
    charts.series(host, chosen);
    host.append(element('p', { class: 'note' }, element('span', { class: 'key actual' }), 'actual', element('span', { class: 'key mean' }), 'forecast',
      element('span', { class: 'key b80' }), '80 % interval', element('span', { class: 'key b95' }), '95 % interval · drag to zoom, double-click for all'));
  }
}

async function loadSeries() {
  if (!state.series) return;
  try {
    chosen = await ask('series', `/api/v1/series/${encodeURIComponent(state.series)}`);
    drawSeries();
  } catch (error) {
    failed(error, `The series ${state.series} could not be loaded`);
  }
  drawOptions();
}

function choose(index) {
  const row = options.rows[index];
  if (!row) return;
  options.at = index;
  write({ series: row.id });
  $('problem').hidden = true;
  loadSeries();
}

async function loadAll() {
  $('problem').hidden = true;
  fillForm();
  $('search').value = state.search;
  if (!(await loadReport()) && !$('empty').hidden) return;
  await loadOptions();
  await loadSeries();
}

form.addEventListener('change', () => {
  write({ from: form.from.value, to: form.to.value, country: form.country.value });
  $('problem').hidden = true;
  loadReport();
});
form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('reset', (event) => {
  event.preventDefault();
  write({ from: '', to: '', country: '' });
  $('problem').hidden = true;
  loadReport();
});
for (const button of document.querySelectorAll('.as-table')) {
  button.addEventListener('click', () => {
    const now = tables();
    if (!now.delete(button.dataset.for)) now.add(button.dataset.for);
    write({ tables: [...now].join(',') });
    fillForm();
    if (report) drawReport();
    if (chosen) drawSeries();
  });
}
let typing = 0;
$('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    write({ search: $('search').value.trim() }, true);
    loadOptions();
  }, 120);
});
function moveByKey(event) {
  const last = options.rows.length - 1;
  if (last < 0) return;
  const to = { ArrowDown: Math.min(options.at + 1, last), ArrowUp: Math.max(options.at - 1, 0), Home: 0, End: last }[event.key];
  if (event.key === 'Enter') choose(Math.max(options.at, 0));
  else if (to === undefined || (event.target.id === 'search' && (event.key === 'Home' || event.key === 'End'))) return;
  else {
    options.at = to;
    drawOptions();
  }
  event.preventDefault();
}
$('search').addEventListener('keydown', moveByKey);
$('options').addEventListener('keydown', moveByKey);
$('options').addEventListener('click', (event) => {
  const row = event.target.closest('[role=option]');
  if (row) choose([...$('options').children].indexOf(row));
});
window.addEventListener('popstate', () => {
  state = read();
  loadAll();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (report) drawReport();
  if (chosen) drawSeries();
});
onDataChanged(loadAll);
startOperations();
loadAll();
