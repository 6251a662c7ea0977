// An app made with @slack/bolt in Socket Mode, to see whether sim/slack can be
// told from Slack by the framework that Slack itself publishes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import bolt from '@slack/bolt';
import { Script } from './script.mjs';

const script = new Script(
  'connect',
  'answer a command',
  'answer by response URL',
  'post with a button',
  'open a form',
  'push back a mistake',
  'read a form',
  'read files',
  'upload',
  'publish a Home tab',
  'answer a mention',
  'use a shortcut',
  'use a message',
  'read a refusal',
  'wait out a rate limit',
  'come back',
);

const clientOptions = { slackApiUrl: process.env.API_URL };
const logLevel = bolt.LogLevel.ERROR;
const app = new bolt.App({
  token: process.env.BOT_TOKEN,
  clientOptions,
  logLevel,
  receiver: new bolt.SocketModeReceiver({
    appToken: process.env.APP_TOKEN,
    clientPingTimeout: 1000, // also the pause before it connects anew
    installerOptions: { clientOptions },
    logLevel,
  }),
});

const plain = (text) => ({ type: 'plain_text', text });
const card = (text) => [
  { type: 'section', text: { type: 'mrkdwn', text } },
  { type: 'actions', elements: [{ type: 'button', action_id: 'again', text: plain('Again'), value: 'job-1', style: 'primary' }] },
];
let posted;

app.command('/ltx', async ({ command, ack, respond, client, context }) => {
  assert.equal(context.botUserId, process.env.BOT_USER);
  if (command.text === 'after a break') {
    await ack('here again');
    script.done('come back');
    return;
  }
  assert.match(command.text, /^a cowboy for <@U\w+(\|ann)?>$/);
  await ack({ response_type: 'ephemeral', text: `working on ${command.text}` });
  script.done('answer a command');
  await respond({ response_type: 'ephemeral', text: 'still working', replace_original: false });
  script.done('answer by response URL');
  const limitedFrom = Date.now();
  posted = await client.chat.postMessage({ channel: command.channel_id, text: 'a card', blocks: card('running') });
  assert.ok(Date.now() - limitedFrom >= 900, 'the rate limit was not waited for');
  script.done('wait out a rate limit');
  await client.chat.update({ channel: posted.channel, ts: posted.ts, text: 'a card', blocks: card('done') });
  script.done('post with a button');
  await assert.rejects(client.chat.postMessage({ channel: 'C000000000', text: 'nobody' }), (error) => {
    assert.equal(error.code, 'slack_webapi_platform_error');
    assert.equal(error.data.error, 'channel_not_found');
    return true;
  });
  script.done('read a refusal');
});

app.action('again', async ({ ack, body, action, client, respond }) => {
  await ack();
  assert.equal(action.value, 'job-1');
  assert.equal(body.message.ts, posted.ts);
  const opened = await client.views.open({
    trigger_id: body.trigger_id,
    view: {
      type: 'modal',
      callback_id: 'form',
      private_metadata: body.channel.id,
      title: plain('Edit'),
      submit: plain('Make'),
      close: plain('Leave'),
      blocks: [
        { type: 'input', block_id: 'prompt', label: plain('Prompt'), element: { type: 'plain_text_input', action_id: 'prompt', multiline: true, initial_value: 'a cowboy' } },
        {
          type: 'input',
          block_id: 'camera',
          optional: true,
          label: plain('Camera'),
          element: { type: 'static_select', action_id: 'camera', options: ['dolly_in', 'static'].map((v) => ({ text: plain(v), value: v })) },
        },
        { type: 'input', block_id: 'picture', optional: true, label: plain('Picture'), element: { type: 'file_input', action_id: 'picture', filetypes: ['png'], max_files: 1 } },
      ],
    },
  });
  assert.ok(opened.view.id);
  script.done('open a form');
  await respond({ replace_original: false, response_type: 'ephemeral', text: 'the form is open' });
});

/** Looks at a file that ann gave to the app, and fetches it. */
async function look(file, name, client) {
  assert.equal(file.name, name);
  assert.equal(file.mimetype, 'image/png');
  const info = await client.files.info({ file: file.id });
  for (const url of [file.url_private, info.file.url_private_download]) {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${process.env.BOT_TOKEN}` } });
    const got = Buffer.from(await answer.arrayBuffer());
    assert.equal(got.length, file.size);
    assert.equal(got.toString('latin1', 1, 4), 'PNG');
  }
  const page = await fetch(file.url_private);
  assert.match(page.headers.get('content-type'), /^text\/html/); // with 200, and no error
}

app.view('form', async ({ ack, view, body, client }) => {
  const prompt = view.state.values.prompt.prompt.value;
  if (prompt === 'spin') {
    await ack({ response_action: 'errors', errors: { prompt: 'not that' } });
    script.done('push back a mistake');
    return;
  }
  assert.equal(prompt, 'a horse');
  assert.equal(view.state.values.camera.camera.selected_option.value, 'static');
  await ack();
  script.done('read a form');
  await look(view.state.values.picture.picture.files[0], 'form.png', client);
  const bytes = Buffer.alloc(100_000, 'video');
  const done = await client.filesUploadV2({
    channel_id: view.private_metadata,
    thread_ts: posted.ts,
    filename: 'video.mp4',
    title: 'a horse',
    file: bytes,
    initial_comment: `<@${body.user.id}> done`,
  });
  const { file } = await client.files.info({ file: done.files[0].files[0].id });
  assert.equal(file.size, bytes.length);
  const answer = await fetch(file.url_private_download, { headers: { authorization: `Bearer ${process.env.BOT_TOKEN}` } });
  const got = Buffer.from(await answer.arrayBuffer());
  assert.equal(createHash('sha256').update(got).digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  script.done('upload');
});

app.event('app_home_opened', async ({ event, client }) => {
  await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'header', text: plain('Your videos') }, { type: 'divider' }] } });
  script.done('publish a Home tab');
});

app.event('app_mention', async ({ event, say, client }) => {
  assert.match(event.text, /^<@U\w+> a fox$/);
  await say({ text: 'in the thread', thread_ts: event.ts });
  script.done('answer a mention');
  await look(event.files[0], 'message.png', client);
  script.done('read files');
});

app.shortcut('new_video', async ({ ack, shortcut, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: { type: 'modal', callback_id: 'empty', title: plain('New video'), blocks: [{ type: 'divider' }] } });
  script.done('use a shortcut');
});

app.shortcut('remix', async ({ ack, shortcut, respond }) => {
  await ack();
  assert.equal(shortcut.type, 'message_action');
  await respond({ text: `remix of ${shortcut.message.text}`, response_type: 'ephemeral' });
  script.done('use a message');
});

app.error(async (error) => script.fail(error));
script.finishAtEnd(() => app.stop());
app.start().then(() => script.done('connect'), (error) => script.fail(error));
