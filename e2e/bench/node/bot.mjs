// A bot as one is written with discord.js, @slack/bolt and @fal-ai/client: it
// acknowledges a command, shows a card, makes the video at fal, keeps the card
// up to date and posts the video. It has no quota, no record on disk, no way
// back after a crash. It works in the way that suits the measurement best: a
// status stream where the last second counts, seldom polls where many commands
// come in, and no rate limit of its own.
import { createFalClient } from '@fal-ai/client';

const { PLATFORM, API_URL, QUEUE_URL, FAL_TEST_KEY, MODEL, STREAM } = process.env;

// The library has no setting for fal's address.
const fal = createFalClient({
  credentials: FAL_TEST_KEY,
  fetch: (url, init) => fetch(String(url).replace('https://queue.fal.run', QUEUE_URL), init),
});

/** Makes a video and tells the card how far it is, at most once a second. */
async function make(prompt, show) {
  let shown = 0;
  let busy = false;
  const { data } = await fal.subscribe(MODEL, {
    input: { prompt, seed: Math.floor(Math.random() * 2 ** 31), loras: [{ path: '', scale: 1 }], enable_prompt_expansion: false },
    ...(STREAM === 'true' ? { mode: 'streaming', connectionMode: 'server' } : { mode: 'polling', pollInterval: 5000 }),
    logs: true,
    onQueueUpdate: async (status) => {
      if (busy || status.status === 'COMPLETED' || Date.now() - shown < 1000) return;
      [busy, shown] = [true, Date.now()];
      await show(status.status === 'IN_QUEUE' ? 'waiting' : 'running').catch(complain);
      busy = false;
    },
  });
  const answer = await fetch(data.video.url);
  return { seed: data.seed, bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** Counts what went wrong, and says so at the end. */
const problems = new Map();
function complain(error) {
  const text = String(error?.message ?? error);
  problems.set(text, (problems.get(text) ?? 0) + 1);
}

async function onDiscord() {
  const { ActionRowBuilder, ApplicationCommandOptionType, ButtonBuilder, ButtonStyle, Client, ContainerBuilder, MessageFlags, TextDisplayBuilder } =
    await import('discord.js');
  const card = (text) => ({
    flags: MessageFlags.IsComponentsV2,
    components: [
      new ContainerBuilder()
        .addTextDisplayComponents(new TextDisplayBuilder().setContent(text))
        .addActionRowComponents(new ActionRowBuilder().addComponents(new ButtonBuilder().setCustomId('cancel').setLabel('Cancel').setStyle(ButtonStyle.Secondary))),
    ],
  });
  const client = new Client({ intents: [], rest: { api: API_URL, globalRequestsPerSecond: Infinity } });
  client.on('error', complain);
  client.on('interactionCreate', async (i) => {
    if (!i.isChatInputCommand()) return;
    try {
      await i.deferReply();
      const prompt = i.options.getString('prompt', true);
      await i.editReply(card(`waiting: ${prompt}`));
      const video = await make(prompt, (state) => i.editReply(card(`${state}: ${prompt}`)));
      await i.followUp({ content: `<@${i.user.id}> ${prompt} (seed ${video.seed})`, files: [{ attachment: video.bytes, name: 'video.mp4' }] });
      await i.editReply(card(`done: ${prompt}`));
    } catch (error) {
      complain(error);
    }
  });
  client.once('clientReady', async () => {
    await client.application.commands.set([
      { name: 'ltx', description: 'Make a video', options: [{ name: 'prompt', description: 'What happens', type: ApplicationCommandOptionType.String, required: true }] },
    ]);
    console.log('ready');
  });
  await client.login(process.env.TOKEN);
}

async function onSlack() {
  const { default: bolt } = await import('@slack/bolt');
  const clientOptions = { slackApiUrl: API_URL };
  const logLevel = bolt.LogLevel.ERROR;
  const app = new bolt.App({
    token: process.env.TOKEN,
    clientOptions,
    logLevel,
    receiver: new bolt.SocketModeReceiver({ appToken: process.env.APP_TOKEN, installerOptions: { clientOptions }, logLevel }),
  });
  app.command('/ltx', async ({ command, ack, client }) => {
    await ack();
    const text = (state) => `${state}: ${command.text}`;
    const card = await client.chat.postMessage({ channel: command.channel_id, text: text('waiting') });
    const video = await make(command.text, (state) => client.chat.update({ channel: card.channel, ts: card.ts, text: text(state) }));
    await client.filesUploadV2({ channel_id: command.channel_id, filename: 'video.mp4', file: video.bytes, initial_comment: `<@${command.user_id}> ${command.text}` });
    await client.chat.update({ channel: card.channel, ts: card.ts, text: text('done') });
  });
  app.error(async (error) => complain(error));
  await app.start();
  console.log('ready');
}

process.on('unhandledRejection', complain);
process.stdin
  .on('end', () => {
    for (const [text, n] of problems) console.error(`Node bot: ${n} times: ${text}`);
    process.exit(0);
  })
  .resume();
await (PLATFORM === 'slack' ? onSlack() : onDiscord());
