// Validates exchanges with Discord's API, what our bot sent and what our
// simulator answered, against what Discord and the makers of discord.js publish.
import { isDeepStrictEqual } from 'node:util';
import { pathsList } from 'discord-api-spec';
import * as spec from 'discord-api-spec/zod';
import * as z from 'zod/mini';
import { rebuildCommand, rebuildMessage, rebuildModal } from './builders.mjs';
import { compile } from './compile.mjs';
import { difference } from './report.mjs';

// Interaction callbacks, by their type: https://discord.com/developers/docs/interactions/receiving-and-responding
const callback = z.discriminatedUnion('type', [
  spec.CreateMessageInteractionCallbackRequestSchema,
  spec.UpdateMessageInteractionCallbackRequestSchema,
  spec.ModalInteractionCallbackRequestSchema,
  z.object({ ...spec.ApplicationCommandAutocompleteCallbackRequestSchema.shape, data: spec.InteractionApplicationCommandAutocompleteCallbackStringDataSchema }),
]);

// Where the OpenAPI document and the documentation differ, the documentation is right.
// https://discord.com/developers/docs/topics/rate-limits: "code" is there for some limits only.
const rateLimited = z.object({ message: z.string(), retry_after: z.number(), global: z.boolean(), code: z.optional(z.number()) });
// https://discord.com/developers/docs/reference#error-messages: the codes of fields are words.
const refused = z.object({ code: z.number(), message: z.string(), errors: z.optional(z.record(z.string(), z.any())) });

// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-callback-response-object-interaction-callback-resource-object:
// "type" is that of the callback, so 5 for a deferral, which makes a message too.
const answered = z.object({
  interaction: spec.InteractionResponseSchema,
  resource: z.optional(z.union([spec.UpdateMessageInteractionCallbackResponseSchema, z.object({ type: z.literal([4, 5]), message: spec.MessageResponseSchema })])),
});

const noAnswer = z.undefined();
const message = spec.MessageResponseSchema;
const command = spec.ApplicationCommandResponseSchema;

/**
 * What each route takes and gives: [schema of the request, schema of the
 * answer, type of the request in discord-api-types, what the builders of
 * discord.js make of the request].
 */
const routes = {
  'GET /gateway/bot': [null, spec.GatewayBotResponseSchema],
  'GET /applications/@me': [null, spec.PrivateApplicationResponseSchema],
  'GET /users/@me': [null, spec.UserPIIResponseSchema],
  'GET /guilds/{id}': [null, spec.GuildWithCountsResponseSchema],
  'GET /guilds/{id}/members/{id}': [null, spec.GuildMemberResponseSchema],
  'GET /channels/{id}': [null, z.union([spec.GuildChannelResponseSchema, spec.ThreadResponseSchema, spec.PrivateChannelResponseSchema])],
  'GET /channels/{id}/messages': [null, z.array(message)],
  'GET /channels/{id}/messages/{id}': [null, message],
  'GET /webhooks/{id}/{token}/messages/@original': [null, message],
  'GET /applications/{id}/commands': [null, z.array(command)],
  'GET /applications/{id}/guilds/{id}/commands': [null, z.array(command)],
  'PUT /applications/{id}/commands': [z.array(spec.ApplicationCommandUpdateRequestSchema), z.array(command), 'RESTPutAPIApplicationCommandsJSONBody', (body) => body.map(rebuildCommand)],
  'PUT /applications/{id}/guilds/{id}/commands': [z.array(spec.ApplicationCommandUpdateRequestSchema), z.array(command), 'RESTPutAPIApplicationGuildCommandsJSONBody', (body) => body.map(rebuildCommand)],
  'POST /applications/{id}/commands': [spec.ApplicationCommandCreateRequestSchema, command, 'RESTPostAPIApplicationCommandsJSONBody', rebuildCommand],
  'POST /applications/{id}/guilds/{id}/commands': [spec.ApplicationCommandCreateRequestSchema, command, 'RESTPostAPIApplicationGuildCommandsJSONBody', rebuildCommand],
  'PATCH /applications/{id}/commands/{id}': [spec.ApplicationCommandPatchRequestPartialSchema, command, 'RESTPatchAPIApplicationCommandJSONBody'],
  'PATCH /applications/{id}/guilds/{id}/commands/{id}': [spec.ApplicationCommandPatchRequestPartialSchema, command, 'RESTPatchAPIApplicationGuildCommandJSONBody'],
  'DELETE /applications/{id}/commands/{id}': [null, noAnswer],
  'DELETE /applications/{id}/guilds/{id}/commands/{id}': [null, noAnswer],
  'POST /interactions/{id}/{token}/callback': [callback, z.optional(answered), 'RESTPostAPIInteractionCallbackJSONBody', rebuildCallback],
  'POST /webhooks/{id}/{token}': [spec.IncomingWebhookRequestPartialSchema, message, 'RESTPostAPIWebhookWithTokenJSONBody', rebuildMessage],
  'PATCH /webhooks/{id}/{token}/messages/{id}': [spec.IncomingWebhookUpdateRequestPartialSchema, message, 'RESTPatchAPIWebhookWithTokenMessageJSONBody', rebuildMessage],
  'PATCH /webhooks/{id}/{token}/messages/@original': [spec.IncomingWebhookUpdateRequestPartialSchema, message, 'RESTPatchAPIWebhookWithTokenMessageJSONBody', rebuildMessage],
  'DELETE /webhooks/{id}/{token}/messages/{id}': [null, noAnswer],
  'DELETE /webhooks/{id}/{token}/messages/@original': [null, noAnswer],
  'POST /channels/{id}/messages': [spec.MessageCreateRequestSchema, message, 'RESTPostAPIChannelMessageJSONBody', rebuildMessage],
  'PATCH /channels/{id}/messages/{id}': [spec.MessageEditRequestPartialSchema, message, 'RESTPatchAPIChannelMessageJSONBody', rebuildMessage],
  'DELETE /channels/{id}/messages/{id}': [null, noAnswer],
  'POST /users/@me/channels': [spec.CreatePrivateChannelRequestSchema, spec.PrivateChannelResponseSchema, 'RESTPostAPICurrentUserCreateDMChannelJSONBody'],
};

function rebuildCallback(body) {
  if (body.type === 9) return { ...body, data: rebuildModal(body.data) };
  return body.data?.components ? { ...body, data: rebuildMessage(body.data) } : body;
}

/** Validates the requests of calls. */
export function requests(calls, report) {
  const literals = [];
  for (const call of calls) {
    const { name, taken, type, rebuild } = look(call, report);
    report.seen(name);
    if (taken === undefined) continue;
    if (taken === null) {
      if (call.body !== undefined) report.bad(name, 'a body where none is taken', call.body);
      continue;
    }
    check(report, name, taken, withNumbers(call.body), true);
    if (type) literals.push({ name, type, value: withoutEmpty(call.body) });
    if (rebuild) checkBuilt(report, `${name} by the builders of discord.js`, rebuild, call.body);
    const attached = (call.body?.attachments ?? call.body?.data?.attachments ?? []).filter((a) => a.filename).map((a) => `files[${a.id}]=${a.filename}`);
    if (!isDeepStrictEqual(attached, call.files ?? [])) report.bad(name, `the files ${call.files} are not those of the body: ${attached}`);
  }
  compile('discord-api-types/v10', literals, report);
}

/** Validates the answers to calls. */
export function answers(calls, report) {
  for (const call of calls) {
    const { name, given } = look(call, report);
    report.seen(name);
    if (given) check(report, name, answerSchema(call, given), withZulu(call.answer), false);
  }
}

/** Finds the row of a call. */
function look(call, report) {
  const route = `${call.method} ${call.path}`;
  const name = call.path.endsWith('/callback') ? `${route} type ${call.body?.type}` : route;
  if (!routes[route]) report.bad(name, 'there is no row for this route');
  if (!published(call)) report.bad(name, 'Discord publishes no such route');
  const [taken, given, type, rebuild] = routes[route] ?? [];
  return { name, taken, given, type, rebuild };
}

function published(call) {
  const shape = (path) => path.replaceAll(/\{\w+\}/g, '{}');
  return pathsList[call.method.toLowerCase()].some((path) => shape(path) === shape(call.path));
}

function answerSchema(call, schema) {
  if (call.status === 429) return rateLimited;
  if (call.status >= 400) return refused;
  return call.status === 204 ? noAnswer : schema;
}

/** Writes times as the schemas want them: they are right to read ISO 8601, and wrong to take no offset but Z. */
function withZulu(value) {
  return value && JSON.parse(JSON.stringify(value).replaceAll(/(\d\d:\d\d:\d\d(?:\.\d+)?)\+00:00"/g, '$1Z"'));
}

// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-structure:
// permissions are a string, and a command on a message or a user has an empty description.
function withNumbers(body) {
  return onCommands(body, (c) => (c.default_member_permissions ? { ...c, default_member_permissions: Number(c.default_member_permissions) } : c));
}

function withoutEmpty(body) {
  return onCommands(body, ({ description, ...c }) => (description === '' ? c : { ...c, description }));
}

function onCommands(body, change) {
  if (Array.isArray(body)) return body.map(change);
  return 'name' in body ? change(body) : body;
}

/**
 * Parses a value. Fields that the schema does not have are wrong in a request,
 * where they do nothing; Discord's own answers have some.
 */
function check(report, name, schema, value, strict) {
  const parsed = schema.safeParse(value);
  if (!parsed.success) report.bad(name, z.prettifyError(parsed.error), value);
  else if (strict && !isDeepStrictEqual(parsed.data, value)) report.bad(name, `unknown fields: ${difference(value, parsed.data).join(', ')}`, value);
}

/** Builds a body anew; the builders throw at what Discord would refuse. */
function checkBuilt(report, name, rebuild, body) {
  try {
    report.equal(name, rebuild(body), body);
  } catch (error) {
    report.bad(name, error.message, body);
  }
}
