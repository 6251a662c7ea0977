// A bot made with discord.js, to see whether sim/discord can be told from
// Discord by the library that most bots use.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  ActionRowBuilder,
  ApplicationCommandType,
  ApplicationIntegrationType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  ContainerBuilder,
  ContextMenuCommandBuilder,
  DiscordAPIError,
  FileUploadBuilder,
  InteractionContextType,
  LabelBuilder,
  MediaGalleryBuilder,
  MessageFlags,
  ModalBuilder,
  PermissionFlagsBits,
  RESTJSONErrorCodes,
  SeparatorBuilder,
  SlashCommandBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import { Script } from './script.mjs';

const script = new Script(
  'log in',
  'register commands',
  'suggest choices',
  'read attached files',
  'defer and edit',
  'upload and download',
  'follow up',
  'open a form',
  'read a form',
  'answer a menu',
  'use a message',
  'write directly',
  'read a refusal',
  'wait out a rate limit',
  'resume',
);

const commands = [
  new SlashCommandBuilder()
    .setName('make')
    .setDescription('Make a video')
    .setDescriptionLocalizations({ de: 'Ein Video machen' })
    .addStringOption((o) => o.setName('prompt').setDescription('What happens').setRequired(true).setMaxLength(200))
    .addStringOption((o) => o.setName('size').setDescription('How large').setAutocomplete(true))
    .addStringOption((o) =>
      o.setName('camera').setDescription('How it moves').addChoices({ name: 'Dolly in', value: 'dolly_in' }, { name: 'Still', value: 'static' }),
    )
    .addIntegerOption((o) => o.setName('steps').setDescription('How many').setMinValue(1).setMaxValue(50))
    .addNumberOption((o) => o.setName('guidance').setDescription('How close'))
    .addBooleanOption((o) => o.setName('audio').setDescription('With sound'))
    .addAttachmentOption((o) => o.setName('picture').setDescription('Where it begins')),
  new SlashCommandBuilder()
    .setName('manage')
    .setDescription('Manage')
    .setDefaultMemberPermissions(PermissionFlagsBits.ManageGuild)
    .addSubcommand((s) =>
      s
        .setName('grant')
        .setDescription('Give more')
        .addUserOption((o) => o.setName('member').setDescription('To whom').setRequired(true)),
    ),
  new ContextMenuCommandBuilder().setName('Remix').setType(ApplicationCommandType.Message),
].map((c) => c.setContexts(InteractionContextType.Guild).setIntegrationTypes(ApplicationIntegrationType.GuildInstall));

const client = new Client({ intents: [], rest: { api: process.env.API_URL, retries: 0 } });
client.on('error', (error) => script.fail(error));
client.on('shardResume', () => script.done('resume'));
let limited = 0;
client.rest.on('response', (_, response) => (limited += response.status === 429));

client.once(
  'clientReady',
  script.guard(async () => {
    assert.equal(client.user.id, process.env.BOT_ID);
    await client.application.fetch();
    script.done('log in');
    const set = await client.application.commands.set(commands);
    assert.equal(set.size, commands.length);
    for (const c of (await client.application.commands.fetch()).values()) {
      const sent = commands.find((s) => s.name === c.name);
      assert.ok(c.equals(JSON.parse(JSON.stringify(sent)), true), `${c.name} came back changed`);
    }
    script.done('register commands');
  }),
);

const text = (content) => new TextDisplayBuilder().setContent(content);
const row = (...parts) => new ActionRowBuilder().addComponents(parts);
const again = () => row(new ButtonBuilder().setCustomId('again').setLabel('Again').setStyle(ButtonStyle.Primary));

/** Looks at a file that ada gave to the bot, and fetches it. */
async function look(attachment, name, ephemeral) {
  assert.equal(attachment.name, name);
  assert.equal(attachment.contentType, 'image/png');
  assert.deepEqual([attachment.width, attachment.height], [3, 2]);
  assert.equal(attachment.ephemeral, ephemeral);
  const got = Buffer.from(await (await fetch(attachment.url)).arrayBuffer());
  assert.equal(got.length, attachment.size);
  assert.equal(got.toString('latin1', 1, 4), 'PNG');
}

async function make(i) {
  assert.equal(i.options.getString('prompt', true), 'a cowboy');
  assert.equal(i.options.getString('camera'), 'dolly_in');
  assert.equal(i.options.getInteger('steps'), 30);
  assert.equal(i.options.getNumber('guidance'), 2.5);
  assert.equal(i.options.getBoolean('audio'), false);
  assert.ok(i.memberPermissions.has(PermissionFlagsBits.SendMessages));
  assert.ok(i.appPermissions.has(PermissionFlagsBits.AttachFiles));
  assert.equal(i.attachmentSizeLimit, 10 << 20);
  assert.equal(i.locale, 'en-US');
  await look(i.options.getAttachment('picture', true), 'option.png', true);

  const deferred = await i.deferReply({ withResponse: true });
  assert.equal(deferred.interaction.responseMessageLoading, true);
  const card = await i.editReply({
    flags: MessageFlags.IsComponentsV2,
    components: [new ContainerBuilder().addTextDisplayComponents(text('running')).addSeparatorComponents(new SeparatorBuilder()).addActionRowComponents(again())],
  });
  assert.equal(card.id, deferred.interaction.responseMessageId);
  assert.equal(card.components[0].components[0].content, 'running');
  script.done('defer and edit');

  const bytes = Buffer.alloc(100_000, 'video');
  const done = await i.editReply({
    files: [new AttachmentBuilder(bytes, { name: 'video.mp4', description: 'a cowboy' })],
    components: [
      new ContainerBuilder()
        .addTextDisplayComponents(text('done'))
        .addMediaGalleryComponents(new MediaGalleryBuilder().addItems({ media: { url: 'attachment://video.mp4' } }))
        .addActionRowComponents(again()),
    ],
  });
  const media = done.components[0].components[1].items[0].media;
  const got = Buffer.from(await (await fetch(media.url)).arrayBuffer());
  assert.equal(createHash('sha256').update(got).digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  script.done('upload and download');

  const ping = await i.followUp({ content: `<@${i.user.id}> look, but not @everyone`, allowedMentions: { users: [i.user.id] } });
  assert.notEqual(ping.id, card.id);
  assert.ok(ping.mentions.users.has(i.user.id));
  assert.equal(ping.mentions.everyone, false);
  assert.equal((await i.fetchReply()).id, card.id);
  script.done('follow up');

  const channel = await client.channels.fetch(i.channelId, { allowUnknownGuild: true });
  await assert.rejects(channel.send({ content: 'x'.repeat(2001) }), (error) => {
    assert.ok(error instanceof DiscordAPIError);
    assert.equal(error.code, RESTJSONErrorCodes.InvalidFormBodyOrContentType);
    assert.match(error.message, /content\[BASE_TYPE_MAX_LENGTH\]/);
    return true;
  });
  script.done('read a refusal');

  await i.user.send({ content: 'a direct message' });
  script.done('write directly');

  await channel.send({
    content: 'choose',
    components: [row(new StringSelectMenuBuilder().setCustomId('size').addOptions({ label: 'Wide', value: 'wide' }, { label: 'Tall', value: 'tall' }))],
  });
}

const form = () =>
  new ModalBuilder()
    .setCustomId('form')
    .setTitle('Edit')
    .addLabelComponents(
      new LabelBuilder()
        .setLabel('Prompt')
        .setDescription('What happens')
        .setTextInputComponent(new TextInputBuilder().setCustomId('prompt').setStyle(TextInputStyle.Paragraph).setValue('a cowboy')),
      new LabelBuilder()
        .setLabel('Camera')
        .setStringSelectMenuComponent(
          new StringSelectMenuBuilder().setCustomId('camera').addOptions({ label: 'Dolly in', value: 'dolly_in' }, { label: 'Still', value: 'static', default: true }),
        ),
      new LabelBuilder().setLabel('Picture').setFileUploadComponent(new FileUploadBuilder().setCustomId('picture').setMaxValues(2)),
    );

client.on(
  'interactionCreate',
  script.guard(async (i) => {
    if (i.isAutocomplete()) {
      assert.deepEqual(i.options.getFocused(true), { name: 'size', type: 3, value: '16', focused: true });
      await i.respond([{ name: 'Wide (16:9)', value: '16:9' }]);
      script.done('suggest choices');
    } else if (i.isChatInputCommand()) {
      await make(i);
    } else if (i.isMessageContextMenuCommand()) {
      assert.equal(i.targetMessage.content, 'a horse in the rain');
      await look(i.targetMessage.attachments.first(), 'message.png', false);
      await i.reply({ content: `remix of ${i.targetMessage.content}`, flags: MessageFlags.Ephemeral });
      await i.editReply({ content: 'changed' });
      await i.deleteReply();
      script.done('use a message');
      script.done('read attached files');
    } else if (i.isButton()) {
      await i.showModal(form());
      script.done('open a form');
    } else if (i.isModalSubmit()) {
      assert.equal(i.fields.getTextInputValue('prompt'), 'a horse');
      assert.deepEqual(i.fields.getStringSelectValues('camera'), ['static']);
      await look(i.fields.getUploadedFiles('picture', true).first(), 'form.png', true);
      await i.reply({ content: 'a horse it is', flags: MessageFlags.Ephemeral });
      script.done('read a form');
    } else if (i.isStringSelectMenu()) {
      await i.deferUpdate();
      const before = limited;
      await i.editReply({ content: `chosen: ${i.values}`, components: [] }); // the simulator says 429 first
      script.done('answer a menu');
      assert.equal(limited, before + 1);
      script.done('wait out a rate limit');
    }
  }),
);

script.finishAtEnd(() => client.destroy());
client.login(process.env.TOKEN).catch((error) => script.fail(error));
