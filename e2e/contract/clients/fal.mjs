// A client made with @fal-ai/client, to see whether sim/fal can be told from
// fal by the library that fal itself publishes. Its addresses cannot be set, so
// its fetch sends what is for fal's hosts to the simulator.
import assert from 'node:assert/strict';
import { ApiError, ValidationError, createFalClient } from '@fal-ai/client';
import { Script } from './script.mjs';

const script = new Script('make a video', 'stream a status', 'cancel', 'subscribe', 'upload', 'wrong input', 'refused prompt', 'wrong key', 'unknown request', 'busy queue', 'broken model');
const { QUEUE_URL, REST_URL, MEDIA_URL, FAL_TEST_KEY, MODEL } = process.env;

const hosts = { 'queue.fal.run': QUEUE_URL, 'rest.fal.ai': REST_URL };

function toSimulator(url, init) {
  const { host, href, pathname, search } = new URL(url);
  const to = hosts[host] ? hosts[host] + pathname + search : href;
  assert.equal(new URL(to).hostname, '127.0.0.1', `nothing leaves loopback: ${url}`);
  return fetch(to, init);
}

const connect = (credentials) => createFalClient({ credentials, fetch: toSimulator, retry: { baseDelay: 50, maxDelay: 100 } });
const fal = connect(FAL_TEST_KEY);
const input = (prompt, more) => ({ prompt, loras: [{ path: '', scale: 1 }], camera_lora: 'dolly_in', ...more });

async function finished(requestId) {
  const seen = [];
  const last = await fal.queue.subscribeToStatus(MODEL, { requestId, logs: true, pollInterval: 20, onQueueUpdate: (s) => seen.push(s) });
  assert.equal(last.status, 'COMPLETED');
  return seen;
}

async function makeVideo() {
  const submitted = await fal.queue.submit(MODEL, { input: input('a cowboy', { seed: 7, num_frames: 121, enable_prompt_expansion: false }) });
  assert.equal(submitted.status, 'IN_QUEUE');
  assert.equal(typeof submitted.queue_position, 'number');
  for (const url of [submitted.response_url, submitted.status_url, submitted.cancel_url]) assert.match(url, new RegExp(`/requests/${submitted.request_id}`));
  const seen = await finished(submitted.request_id);
  const running = seen.filter((s) => s.status === 'IN_PROGRESS' && s.logs?.length > 0);
  assert.ok(running.length > 0, `no status had logs: ${seen.map((s) => s.status)}`);
  for (const log of running.at(-1).logs) {
    assert.equal(typeof log.message, 'string');
    assert.ok(!Number.isNaN(Date.parse(log.timestamp)));
  }
  assert.ok(seen.at(-1).metrics.inference_time > 0);
  const { data, requestId } = await fal.queue.result(MODEL, { requestId: submitted.request_id });
  assert.equal(requestId, submitted.request_id);
  assert.equal(data.seed, 7);
  assert.equal(data.prompt, 'a cowboy');
  assert.equal(data.video.content_type, 'video/mp4');
  const video = new Uint8Array(await (await toSimulator(data.video.url)).arrayBuffer());
  assert.equal(Buffer.from(video.slice(4, 8)).toString(), 'ftyp');
  script.done('make a video');
}

async function streamStatus() {
  const { request_id: requestId } = await fal.queue.submit(MODEL, { input: input('a horse') });
  const stream = await fal.queue.streamStatus(MODEL, { requestId, logs: true, connectionMode: 'server' });
  const seen = [];
  for await (const status of stream) seen.push(status.status);
  assert.equal(seen.at(-1), 'COMPLETED');
  assert.ok(seen.includes('IN_PROGRESS'), `${seen}`);
  assert.equal((await stream.done()).status, 'COMPLETED');
  script.done('stream a status');
}

async function cancel() {
  const { request_id: requestId } = await fal.queue.submit(MODEL, { input: input('stays-queued') });
  await fal.queue.cancel(MODEL, { requestId });
  await finished(requestId);
  const error = await failure(fal.queue.result(MODEL, { requestId }));
  assert.ok(error instanceof ApiError);
  assert.equal(error.status, 499);
  script.done('cancel');
}

/** The library's way to wait for a video, with the status stream. */
async function subscribe() {
  const { data } = await fal.subscribe(MODEL, { input: input('a fox'), mode: 'streaming', connectionMode: 'server', logs: true });
  assert.match(data.video.url, /^http:\/\/127\.0\.0\.1/);
  script.done('subscribe');
}

async function upload() {
  const bytes = Buffer.alloc(50_000, 'image');
  const url = await fal.storage.upload(new File([bytes], 'start.png', { type: 'image/png' }));
  assert.ok(url.startsWith(MEDIA_URL), url);
  const answer = await toSimulator(url);
  assert.equal(answer.headers.get('content-type'), 'image/png');
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes);
  script.done('upload');
}

const failure = (promise) =>
  promise.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  );

async function wrongInput() {
  const error = await outcome(input('a cowboy', { num_frames: 5, camera_lora: 'spin' }));
  assert.ok(error instanceof ValidationError);
  assert.equal(error.status, 422);
  assert.deepEqual(error.getFieldErrors('num_frames').map((e) => [e.loc, e.type, e.ctx]), [[['body', 'num_frames'], 'greater_than_equal', { ge: 9 }]]);
  assert.equal(error.getFieldErrors('camera_lora').length, 1);
  script.done('wrong input');
}

async function refusedPrompt() {
  const error = await outcome(input('nsfw'));
  assert.ok(error instanceof ValidationError);
  assert.equal(error.fieldErrors[0].type, 'content_policy_violation');
  assert.match(error.fieldErrors[0].url, /^https:\/\/docs\.fal\.ai\/errors/);
  script.done('refused prompt');
}

/** The error with which a request ends. */
async function outcome(body) {
  const { request_id: requestId } = await fal.queue.submit(MODEL, { input: body });
  await finished(requestId);
  return failure(fal.queue.result(MODEL, { requestId }));
}

async function wrongKey() {
  const error = await failure(connect('wrong:key').queue.submit(MODEL, { input: input('x') }));
  assert.ok(error instanceof ApiError);
  assert.equal(error.status, 401);
  assert.ok(!JSON.stringify(error.body).includes('wrong:key'));
  script.done('wrong key');
}

async function unknownRequest() {
  const error = await failure(fal.queue.status(MODEL, { requestId: '019e18d8-8c36-7bc1-9bb1-000000000000' }));
  assert.equal(error.status, 404);
  script.done('unknown request');
}

/** The simulator answers 429 and 503 first; the library tries again by itself. */
async function busyQueue() {
  const { request_id: requestId } = await fal.queue.submit(MODEL, { input: input('busy') });
  await finished(requestId);
  script.done('busy queue');
}

async function brokenModel() {
  const error = await outcome(input('server-error'));
  assert.ok(error instanceof ApiError);
  assert.equal(error.status, 500);
  assert.equal(error.body.detail[0].type, 'internal_server_error');
  script.done('broken model');
}

await script.guard(async () => {
  await busyQueue();
  await Promise.all([makeVideo, streamStatus, cancel, subscribe, upload, wrongInput, refusedPrompt, wrongKey, unknownRequest, brokenModel].map((check) => check()));
  script.finish();
})();
