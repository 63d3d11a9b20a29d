// Opens the pages of a running server in Chromium, uses them, and fails on console errors, outside requests, policy
// violations and axe-core findings. Usage, with playwright-core 1.65.1 and axe-core 4.14.1 installed in MODULES:
//   NODE_PATH=MODULES/node_modules node tests/api/page_check.mjs http://127.0.0.1:8080 [SCREENSHOT_DIR]
import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';

const require = createRequire(`${process.env.NODE_PATH}/`);
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error('usage: page_check.mjs URL [SCREENSHOT_DIR]');
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });

const faults = [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });

async function open(path, { dark = false, width = 1280, height = 1150 } = {}) {
  // The checker itself is injected, which the policy rightly forbids: bypassed for it, and watched separately below.
  const context = await browser.newContext({ colorScheme: dark ? 'dark' : 'light', viewport: { width, height }, bypassCSP: true });
  const page = await context.newPage();
  watch(page, path);
  await page.goto(url + path, { waitUntil: 'networkidle' });
  return page;
}
function watch(page, name) {
  page.on('pageerror', (error) => faults.push(`${name}: ${error}`));
  page.on('console', (line) => line.type() === 'error' && faults.push(`${name}: ${line.text()}`));
  page.on('request', (request) => !request.url().startsWith(url) && faults.push(`${name}: asks outside: ${request.url()}`));
}
async function audit(page, name) {
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate(() => axe.run());
  for (const violation of found.violations) {
    faults.push(`${name}: axe ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}`);
  }
}
const shot = (page, name) => shots && page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
function expect(condition, claim) {
  if (!condition) faults.push(`expected: ${claim}`);
}

// With the real policy first: nothing may be blocked.
const strict = await (await browser.newContext()).newPage();
watch(strict, 'policy');
await strict.goto(`${url}/`, { waitUntil: 'networkidle' });
expect(await strict.locator('#series canvas').count() === 1, 'the series chart is drawn under the real policy');
await strict.goto(`${url}/docs`, { waitUntil: 'networkidle' });
expect(await strict.locator('section.card').count() > 10, 'the documentation lists the operations');
await audit(await open('/docs'), 'docs');

for (const dark of [false, true]) {
  const page = await open('/', { dark });
  await shot(page, dark ? 'page-dark' : 'page-light');
  await audit(page, dark ? 'dark' : 'light');
}
const page = await open('/');
await page.locator('#search').fill('caf');
await page.waitForTimeout(400);
expect(await page.locator('#options li').count() === 1, 'the search narrows the list');
await page.keyboard.press('ArrowDown');
await page.keyboard.press('Enter');
await page.waitForTimeout(500);
expect((await page.locator('#series-name').innerText()).includes('<b>'), 'a label is shown as text, not as markup');
expect(page.url().includes('series=products%2Fcaf'), 'the chosen series is in the URL');
for (const button of await page.locator('.as-table').all()) await button.click();
expect(await page.locator('.scroll table').count() === 3, 'each chart has a table view');
await audit(page, 'tables');
await shot(page, 'page-tables');
const shared = await open(new URL(page.url()).search ? '/' + new URL(page.url()).search : '/');
expect(await shared.locator('.scroll table').count() === 3, 'the URL restores the whole state');
await page.goBack();
await page.waitForFunction(() => document.querySelectorAll('.scroll table').length === 2, null, { timeout: 5000 })
  .catch(() => expect(false, 'back takes one step back'));
// Models and jobs: the test server's jobs wait for ever.
const operations = await open('/');
await operations.waitForSelector('#plans .plan');
expect((await operations.locator('#plans .plan').innerText()).includes('version 1'), 'the served version is shown');
expect((await operations.locator('#plans .alert').innerText()).includes('190 %'), 'the alert of the plan is shown');
expect((await operations.locator('#plans').innerHTML()).includes('&lt;b&gt;naive'), 'a reason is shown as text, not as markup');
await operations.locator('#train-all').focus();
await operations.keyboard.press('Enter');
await operations.waitForSelector('.job.queued', { timeout: 5000 }).catch(() => expect(false, 'the training appears among the jobs'));
expect(await operations.locator('#train-all').getAttribute('aria-disabled') === 'true', 'what is trained already is not asked for again');
await operations.locator('.job button').focus();
await operations.waitForTimeout(2500);
expect(await operations.evaluate(() => document.activeElement.textContent === 'Cancel'), 'asking again leaves the focus where it is');
await audit(operations, 'operations');
// A press that was refused can be repeated. Not watched: the browser reports the refusal as an error of its own.
const refused = await (await browser.newContext()).newPage();
await refused.route('**/cancel', (route) => route.fulfill({ status: 507, contentType: 'application/problem+json',
  body: '{"title":"Disk full","status":507,"code":"disk_full","detail":"the disk is full"}' }));
await refused.goto(`${url}/`, { waitUntil: 'networkidle' });
await refused.locator('.job button').click();
await refused.waitForFunction(() => document.getElementById('operations-problem').textContent.includes('could not be cancelled'), null, { timeout: 5000 })
  .catch(() => expect(false, 'a refused cancellation is said so'));
expect(await refused.locator('.job button').getAttribute('aria-disabled') === null, 'a refused button can be pressed again');
await operations.keyboard.press('Enter');
await operations.waitForSelector('.job.cancelled', { timeout: 5000 }).catch(() => expect(false, 'the job is cancelled'));
expect(await operations.evaluate(() => document.activeElement.classList.contains('job')), 'the focus stays in the row');
await operations.locator('#send').click();
expect((await operations.locator('#operations-problem').innerText()).includes('choose a csv or xlsx file'), 'no file is said so');
await operations.locator('#sales-file').setInputFiles({ name: 'sales.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2\n') });
await operations.locator('#send').click();
await operations.waitForFunction(() => document.getElementById('operations-said').textContent.includes('sales.csv received'), null, { timeout: 5000 })
  .catch(() => expect(false, 'an upload is taken'));
await shot(operations, 'page-operations');
// Nothing found, nothing sold before, no version whole.
const bare = await (await browser.newContext()).newPage();
watch(bare, 'bare');
await bare.route('**/api/v1/models', (route) => route.fulfill({ json: { data: [{ plan: 'damaged', champion: 1, challenger: null, versions: [], experiments: [], changes: [] }] } }));
await bare.route('**/api/v1/kpis*', async (route) => {
  const response = await route.fetch();
  const json = await response.json();
  json.kpis[0].previous = '0';
  await route.fulfill({ response, json });
});
await bare.goto(`${url}/`, { waitUntil: 'networkidle' });
expect((await bare.locator('#plans .plan').innerText()).includes('nothing yet'), 'a plan without a version is shown');
expect((await bare.locator('#kpis .change').first().innerText()).includes('from 0'), 'an earlier period without sales is one');
await bare.locator('#search').fill('no such series');
await bare.waitForFunction(() => document.getElementById('options-note').textContent === 'No series matches.');
await bare.keyboard.press('ArrowUp');
const phone = await open('/', { width: 360, height: 800 });
expect(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling on a phone');
await shot(phone, 'page-phone');
await browser.close();

for (const fault of faults) console.error(fault);
console.log(faults.length ? `${faults.length} faults` : 'page: clean');
process.exit(faults.length ? 1 : 0);
