// Shows /openapi.json for people: every operation with parameters, body, answers and a curl line.
import { element } from '/assets/format.js';

const main = document.getElementById('main');
const code = (text) => element('code', {}, text);

function type(schema) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  const name = [].concat(schema.type ?? 'any').join(' or ');
  const range = [schema.minimum, schema.maximum].some((bound) => bound !== undefined) ? ` ${schema.minimum ?? ''}..${schema.maximum ?? ''}` : '';
  const of = schema.items ? ` of ${type(schema.items)}` : '';
  return name + of + (schema.format ? ` (${schema.format})` : '') + range + (schema.enum ? `: ${schema.enum.join(', ')}` : '') +
    (schema.default !== undefined ? `, default ${schema.default}` : '');
}

function grid(heads, rows) {
  return element('table', {}, element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, cell))))));
}

const kFilled = { series_id: 'stores%2F1', file: 'app.js', plan: 'store_daily', version: '1', job_id: 'job-000001', upload_id: 'SHA256' };

function curl(document, method, path, operation) {
  const filled = path.replace(/{(\w+)}/g, (all, name) => kFilled[name] ?? all);
  const content = operation.requestBody?.content;
  const json = content?.['application/json']?.schema;
  const named = json?.$ref ? document.components.schemas[json.$ref.split('/').at(-1)] : json;
  let how = method === 'post' ? ' -X POST' : '';
  if (content?.['multipart/form-data']) how = ' \\\n  -F file=@sales.csv';
  else if (named) how = ` \\\n  -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(named.examples?.[0] ?? {})}'`;
  return `curl '${location.origin}${filled}'${how}`;
}

function operationCard(document, method, path, operation) {
  const resolve = (answer) => (answer.$ref ? document.components.responses[answer.$ref.split('/').at(-1)] : answer);
  const card = element('section', { class: 'card', id: operation.operationId },
    element('h2', {}, element('span', { class: 'method' }, method.toUpperCase()), ' ', code(path)),
    element('p', {}, operation.summary + '. ' + (operation.description ?? '')),
    element('pre', { tabindex: 0 }, code(curl(document, method, path, operation))));
  if (operation.parameters.length) {
    card.append(element('h3', {}, 'Parameters'), grid(['Name', 'In', 'Type', 'Meaning'],
      operation.parameters.map((one) => [code(one.name), one.in, type(one.schema), one.description ?? ''])));
  }
  if (operation.requestBody) {
    card.append(element('h3', {}, 'Body'), element('p', {}, Object.entries(operation.requestBody.content).map(([media, content]) => `${media} ${type(content.schema)}`).join(', ') + ': ' +
      operation.requestBody.description));
  }
  card.append(element('h3', {}, 'Answers'), grid(['Status', 'Body', 'When'], Object.entries(operation.responses).map(([status, given]) => {
    const answer = resolve(given);
    return [status, Object.entries(answer.content ?? {}).map(([media, content]) => `${media} ${type(content.schema)}`).join(', '), answer.description];
  })));
  return card;
}

function schemaCard(name, schema) {
  const needed = new Set(schema.required ?? []);
  return element('section', { class: 'card', id: `schema-${name}` }, element('h2', {}, code(name)), element('p', {}, schema.description ?? ''),
    grid(['Member', 'Type', 'Meaning'], Object.entries(schema.properties ?? {}).map(([member, inner]) =>
      [code(member + (needed.has(member) ? '' : '?')), type(inner), inner.description ?? ''])));
}

try {
  const answer = await fetch('/openapi.json');
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const document = await answer.json();
  const cards = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationCard(document, method, path, operation)));
  main.replaceChildren(element('p', {}, document.info.description), ...cards,
    element('h2', {}, 'Schemas'), ...Object.entries(document.components.schemas).map(([name, schema]) => schemaCard(name, schema)));
} catch (error) {
  main.replaceChildren(element('p', { role: 'alert' }, `The document could not be loaded: ${error.message}`));
}
