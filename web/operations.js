// Models and jobs: what is served and how good it is, alerts, training, uploads. Asks again while something runs.
import { ask, post, reasonOf, send } from '/assets/requests.js';
import { amount, bytes, day, element, moment, share, span } from '/assets/format.js';

const $ = (id) => document.getElementById(id);
const kBusyMs = 1000;
const kIdleMs = 15000;
const kJobs = 6;
const isOpen = (job) => ['queued', 'running', 'interrupted'].includes(job.state);

let jobs = null;
let uploads = new Map(); // id -> upload, for names
let changed = () => {};
let timer = 0;
let drawnModels = ''; // what the cards show: made anew only when it changed, so that focus and open details stay
let upload = null; // the one that is being sent
const states = new Map(); // job id -> state last seen, to say what changed

/** Calls this when a job has changed what can be read. */
export function onDataChanged(listener) {
  changed = listener;
}

const fact = (name, ...value) => element('div', {}, element('dt', {}, name), element('dd', {}, ...value));
const say = (text) => { $('operations-said').textContent = text; };
function problem(doing, error) {
  const box = $('operations-problem');
  box.replaceChildren(...(doing ? [element('strong', {}, `${doing}: `), ...reasonOf(error)] : []));
  box.hidden = !doing;
  if (doing) box.scrollIntoView({ block: 'nearest' });
}

// A button that is off keeps the focus, unlike a disabled one.
function setOff(button, off) {
  if (off) button.setAttribute('aria-disabled', 'true');
  else button.removeAttribute('aria-disabled');
}
function onPress(button, work) {
  button.addEventListener('click', () => {
    if (button.getAttribute('aria-disabled') !== 'true') work();
  });
}

// ---- Models

function accuracy(metrics) {
  if (metrics.wape == null) return ['not measured: too little history for a back-test'];
  const naive = metrics.wape_seasonal_naive;
  const better = naive == null || metrics.wape <= naive;
  return [element('span', { class: better ? 'up' : 'down' }, share(metrics.wape)),
    naive == null ? '' : ` · seasonal naive ${share(naive)}${naive > 0 ? ` · ${share(Math.abs(1 - metrics.wape / naive))} ${better ? 'better' : 'worse'}` : ''}`];
}

function planCard(models, alerts) {
  const served = models.versions.find((version) => version.version === models.champion);
  const newest = models.versions[0]; // none where every version is damaged
  const experiment = models.experiments.find((one) => one.ended_at == null);
  const card = element('li', { class: 'plan' }, element('h3', {}, models.plan));
  const facts = element('dl');
  if (served) {
    facts.append(fact('Serves', `version ${served.version}, fitted on data until ${day(served.data_until)}`), fact('WAPE', ...accuracy(served.metrics)));
  } else {
    facts.append(fact('Serves', 'nothing yet'));
  }
  if (newest) facts.append(fact('Last trained', `${moment(newest.created_at)}${newest.version === models.champion ? '' : ` (version ${newest.version}, not served)`}`));
  card.append(facts);
  if (newest && newest.version !== models.champion) {
    card.append(element('details', {}, element('summary', {}, `Why version ${newest.version} is not served`),
      element('p', { class: 'note' }, `${newest.verdict_reason}. `, element('code', {}, `tillcast model promote ${models.plan} ${newest.version} --force`), ' serves it all the same.')));
  }
  if (experiment) {
    card.append(element('p', { class: 'note' }, `Experiment ${experiment.name}: version ${experiment.challenger} forecasts ${experiment.share_percent} % of the series. `,
      element('code', {}, `tillcast experiment status ${models.plan}`), ' compares them.'));
  }
  const mine = alerts.filter((alert) => alert.plan === models.plan);
  const whole = mine.find((alert) => alert.series_id == null);
  const single = mine.filter((alert) => alert.series_id != null);
  if (whole) {
    card.append(element('p', { class: 'alert' }, element('strong', {}, 'Alert: '), `${whole.reason} (since ${moment(whole.opened_at)})`));
  }
  if (single.length) {
    card.append(element('details', {}, element('summary', {}, `${single.length} series with an alert`),
      element('ul', { class: 'plain' }, ...single.map((alert) => element('li', {}, element('a', { href: `?series=${encodeURIComponent(alert.series_id)}` }, alert.series_id), `: ${alert.reason}`)))));
  }
  if (!mine.length) card.append(element('p', { class: 'note' }, 'No alerts: forecasts hold.'));
  const retrain = element('button', { type: 'button', class: 'train', 'data-plan': models.plan, 'aria-label': `Train again: ${models.plan}` }, 'Train again');
  onPress(retrain, () => train(models.plan, retrain));
  card.append(retrain);
  return card;
}

async function loadModels() {
  const list = $('plans');
  const note = $('plans-note');
  try {
    const [models, alerts] = await Promise.all([ask('models', '/api/v1/models'), ask('alerts', '/api/v1/alerts', { limit: 200 })]);
    const key = JSON.stringify([models, alerts]);
    if (key === drawnModels) return;
    drawnModels = key;
    const plan = document.activeElement?.closest?.('#plans') ? document.activeElement.dataset.plan : undefined;
    list.replaceChildren(...models.data.map((one) => planCard(one, alerts.data)));
    if (plan !== undefined) [...list.querySelectorAll('.train')].find((button) => button.dataset.plan === plan)?.focus();
    note.textContent = models.data.length ? '' : 'No models yet: the first sales file trains them.';
    $('train-all').hidden = !models.data.length;
    markBusyPlans();
  } catch (error) {
    if (error.name === 'AbortError') return;
    note.replaceChildren('The models could not be loaded: ', ...reasonOf(error));
    drawnModels = '';
  }
}

// ---- Training

async function train(plan, button) {
  problem('');
  setOff(button, true);
  try {
    const job = await post('/api/v1/train', plan ? { plan } : {});
    states.set(job.id, job.state);
    say(`${nameOf(job)} asked for`);
  } catch (error) {
    problem('Training could not be started', error);
    setOff(button, false);
  }
  loadJobs();
}

// What is being trained already need not be asked for again.
function markBusyPlans() {
  const open = (jobs ?? []).filter(isOpen);
  const all = open.some((job) => job.plan == null && job.series_id == null);
  setOff($('train-all'), all);
  for (const button of document.querySelectorAll('#plans .train'))
    setOff(button, all || open.some((job) => job.plan === button.dataset.plan && job.series_id == null));
}

// ---- Jobs

function nameOf(job) {
  if (job.kind === 'ingest_upload') return `Upload of ${uploads.get(job.upload_id)?.name || 'a file'}`;
  const what = job.series_id ?? job.plan ?? 'all plans';
  return `Training of ${what}${job.trigger === 'schedule' ? ' (by schedule)' : ''}`;
}

const kWords = { queued: 'waits', running: 'runs', succeeded: 'done', failed: 'failed', cancelled: 'cancelled', interrupted: 'interrupted, starts again' };

function resultOf(job) {
  const { result } = job;
  const parts = [];
  if (result.already_loaded) parts.push('the same file was loaded before');
  else if (job.kind === 'ingest_upload') {
    parts.push(`${amount(result.rows_in)} rows: ${amount(result.rows_loaded)} new, ${amount(result.rows_known)} known, ${amount(result.rows_rejected)} rejected`);
    if (result.reject_examples.length) parts.push(`first reject: ${result.reject_examples[0]}`);
    parts.push(...result.notes);
  }
  const trained = result.runs.filter((run) => !run.unchanged);
  if (trained.length) parts.push(`forecast ${trained.map((run) => `${run.plan} (${amount(run.series)} series)`).join(', ')}`);
  else if (result.runs.length) parts.push('same data as before: nothing to train');
  return parts.join(' · ');
}

function postOnPress(button, path, failure) {
  onPress(button, async () => {
    setOff(button, true);
    problem('');
    try {
      await post(path);
    } catch (error) {
      problem(failure, error);
      setOff(button, false); // the row is drawn anew only when its job changed
    }
    loadJobs();
  });
}

function jobRow(job) {
  const row = element('li', { class: `job ${job.state}`, tabindex: -1 });
  row.append(element('div', { class: 'bar' }, element('span', {}, element('strong', {}, nameOf(job)), ' ',
    element('span', { class: `state ${job.state}` }, kWords[job.state] ?? job.state)), element('span', { class: 'note' }, moment(job.finished_at ?? job.started_at ?? job.created_at))));
  if (job.state === 'running') {
    row.append(element('progress', { 'aria-label': `Progress of ${nameOf(job)}` }), element('span', { class: 'note stage' }));
  }
  if (job.error) row.append(element('p', { class: job.state === 'cancelled' ? 'note' : 'warn' }, job.error));
  const result = job.state === 'succeeded' ? resultOf(job) : '';
  if (result) row.append(element('p', { class: 'note' }, result));
  if (isOpen(job)) {
    const cancel = element('button', { type: 'button', 'aria-label': `Cancel: ${nameOf(job)}` }, job.cancel_requested ? 'Ends at its next safe point' : 'Cancel');
    setOff(cancel, job.cancel_requested);
    postOnPress(cancel, `/api/v1/jobs/${encodeURIComponent(job.id)}/cancel`, 'The job could not be cancelled');
    row.append(cancel);
  }
  const file = job.upload_id && uploads.get(job.upload_id);
  if (file && file.job_id === job.id && (file.state === 'dead_letter' || file.state === 'cancelled')) {
    const again = element('button', { type: 'button', 'aria-label': `Try again: ${nameOf(job)}` }, 'Try again');
    postOnPress(again, `/api/v1/uploads/${encodeURIComponent(file.id)}/replay`, 'The upload could not be started again');
    row.append(again);
  }
  return row;
}

function showProgress(row, job) {
  const bar = row.querySelector('progress');
  if (!bar) return;
  const at = job.progress;
  if (!at) {
    bar.removeAttribute('value');
    row.querySelector('.stage').textContent = 'starts';
    return;
  }
  if (at.total) {
    bar.max = at.total;
    bar.value = at.done;
  } else {
    bar.removeAttribute('value');
  }
  const counted = (value) => (at.unit === 'bytes' ? bytes(value) : amount(value));
  const far = at.unit === 'shares' // of the time that it usually takes
    ? share(at.total ? at.done / at.total : 0)
    : `${counted(at.done)}${at.total ? ` of ${counted(at.total)}` : ''}${at.unit === 'bytes' ? '' : ` ${at.unit}`}`;
  row.querySelector('.stage').textContent = `${at.stage}${at.step ? `, ${at.step}` : ''}: ${far}` +
    (at.eta_seconds == null ? '' : `, about ${span(at.eta_seconds)} left in this step`);
}

// Rows are made anew only when they say something else, so that a button under the finger or with the focus stays.
const rows = new Map(); // job id -> { key, row }
function drawJobs() {
  const list = $('jobs');
  const had = list.contains(document.activeElement) ? document.activeElement.closest('.job') : null;
  for (const job of jobs) {
    const key = JSON.stringify([job.state, job.cancel_requested, job.error, job.attempt, nameOf(job), uploads.get(job.upload_id)?.state]);
    if (rows.get(job.id)?.key !== key) {
      const row = jobRow(job);
      const old = rows.get(job.id)?.row;
      rows.set(job.id, { key, row });
      if (old && old === had) {
        old.replaceWith(row);
        row.focus();
      }
    }
    showProgress(rows.get(job.id).row, job);
  }
  const wanted = jobs.map((job) => rows.get(job.id).row);
  if (wanted.length !== list.children.length || wanted.some((row, i) => list.children[i] !== row)) list.replaceChildren(...wanted);
  $('jobs-note').textContent = jobs.length ? '' : 'No jobs yet.';
}

async function loadJobs() {
  clearTimeout(timer);
  let wait = kIdleMs;
  try {
    const page = await ask('jobs', '/api/v1/jobs', { limit: kJobs });
    if (page.data.some((job) => job.upload_id && (!uploads.has(job.upload_id) || states.get(job.id) !== job.state))) {
      const files = await ask('uploads', '/api/v1/uploads', { limit: 50 });
      uploads = new Map(files.data.map((file) => [file.id, file]));
    }
    jobs = page.data;
    drawJobs();
    markBusyPlans();
    const ended = jobs.filter((job) => states.has(job.id) && states.get(job.id) !== job.state && !isOpen(job));
    for (const job of jobs) states.set(job.id, job.state);
    for (const job of ended) say(`${nameOf(job)}: ${kWords[job.state]}`);
    if (ended.some((job) => job.state === 'succeeded')) changed();
    if (jobs.some(isOpen)) wait = kBusyMs;
    else loadModels(); // a command may have promoted a version or brought an alert
  } catch (error) {
    if (error.name === 'AbortError') return;
    $('jobs-note').replaceChildren('The jobs could not be loaded: ', ...reasonOf(error), ' Asked again in a moment.');
    wait = 5000;
  }
  timer = setTimeout(loadJobs, wait);
}

// ---- Upload

async function sendFile() {
  const input = $('sales-file');
  const file = input.files[0];
  problem('');
  if (!file) {
    problem('No file was sent', Object.assign(new Error('choose a csv or xlsx file of sales first'), { status: 400 }));
    input.focus();
    return;
  }
  const bar = $('sending');
  const button = $('send');
  const stop = $('send-stop');
  bar.hidden = stop.hidden = false;
  setOff(button, true);
  bar.removeAttribute('value');
  upload = send(`/api/v1/uploads?${new URLSearchParams({ name: file.name })}`, file, (done, total) => {
    if (!total) return;
    bar.max = total;
    bar.value = done;
  });
  try {
    const { status, body } = await upload.done;
    states.set(body.job_id, 'queued');
    say(status === 200 ? `${file.name} was sent before; nothing new was started` : `${file.name} received as ${body.mapping}; it is loaded and trained now`);
    input.value = '';
  } catch (error) {
    if (error.name === 'AbortError') say('The upload was stopped; nothing of it stays');
    else problem(`${file.name} was not taken`, error);
  }
  upload = null;
  bar.hidden = stop.hidden = true;
  setOff(button, false);
  loadJobs();
}

export function startOperations() {
  onPress($('train-all'), () => train('', $('train-all')));
  $('upload').addEventListener('submit', (event) => {
    event.preventDefault();
    if (!upload) sendFile();
  });
  $('send-stop').addEventListener('click', () => upload?.cancel());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) loadJobs();
    else clearTimeout(timer);
  });
  loadModels();
  loadJobs();
}
