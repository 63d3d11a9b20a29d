// Questions to the API. A newer one of the same kind cancels the older.
import { element } from '/assets/format.js';

const running = new Map(); // kind of request -> its AbortController

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(body.detail ?? `The server answered ${response.status}.`), { status: response.status, body });
  return body;
}

export async function ask(kind, path, parameters = {}) {
  running.get(kind)?.abort();
  const controller = new AbortController();
  running.set(kind, controller);
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '' && value != null));
  return answerOf(await fetch(query.size ? `${path}?${query}` : path, { signal: controller.signal, headers: { Accept: 'application/json' } }));
}

/** Asks for something to be done; nothing cancels it. */
export async function post(path, body) {
  const options = { method: 'POST', headers: { Accept: 'application/json' } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
  }
  return answerOf(await fetch(path, options));
}

/** Sends a file; fetch() does not tell how far it is, this does. @returns { done: Promise, cancel() } */
export function send(path, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open('POST', path);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.responseType = 'json';
    request.upload.addEventListener('progress', (event) => onProgress(event.loaded, event.total));
    request.addEventListener('load', () => {
      const body = request.response ?? {};
      if (request.status < 300) resolve({ status: request.status, body });
      else reject(Object.assign(new Error(body.detail ?? `The server answered ${request.status}.`), { status: request.status, body }));
    });
    request.addEventListener('error', () => reject(new Error('unreachable')));
    request.addEventListener('abort', () => reject(Object.assign(new Error('cancelled'), { name: 'AbortError' })));
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}

/** Why a question failed, for people, as pieces of a line. */
export function reasonOf(error) {
  const id = error.body?.request_id;
  return [error.status ? error.message : 'the server cannot be reached. Is tillcast serve running?', ...(id ? [element('small', {}, ` (request ${id})`)] : [])];
}
