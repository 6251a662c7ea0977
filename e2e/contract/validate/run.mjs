// Validates recorded exchanges with a platform:
//
//   node validate/run.mjs discord.requests|discord.answers|slack.requests FILE
//
// FILE has a JSON object on each line: method, path, status, body or form,
// files, answer. That the validation finds mistakes is seen by making some: each
// mutant is the record with one thing wrong, and has to be found out.
import * as discord from './discord.mjs';
import { readLines, Report } from './report.mjs';
import * as slack from './slack.mjs';

const callback = (type) => `POST /interactions/{id}/{token}/callback type ${type}`;
const validators = {
  'discord.requests': {
    validate: discord.requests,
    covers: [
      'POST /applications/{id}/commands',
      'POST /applications/{id}/guilds/{id}/commands',
      'DELETE /applications/{id}/commands/{id}',
      ...[4, 5, 6, 8, 9].map(callback),
      'POST /webhooks/{id}/{token}',
      'PATCH /webhooks/{id}/{token}/messages/@original',
      'POST /channels/{id}/messages',
      'PATCH /channels/{id}/messages/{id}',
      'POST /users/@me/channels',
    ],
    mutants: {
      'a route that Discord does not have': (call) => (call.path += 's'),
      'a field that does not exist': (call) => (call.body.colour = 'red'),
      'a command with 26 options': ({ body }) => (body.options = Array(26).fill(body.options.find((o) => !o.required))),
      'a command in capitals': ({ body }) => (body.name = body.name.toUpperCase().match(/^LTX$/)[0]),
      'an option with an empty description': ({ body }) => (body.options[0].description = ''),
      'a label that is too long': (call) => (first(call, 'label').label = 'x'.repeat(81)),
      'a text that is empty': (call) => (first(call, 'content').content = ''),
      'a title that is too long': ({ body }) => (body.data.title = body.data.title.padEnd(46, '.')),
      'a form with a text where a field was': ({ body }) => (body.data.components[0].component.type = 10),
      'a file that is not attached': (call) => (call.files = call.files.slice(1)),
      'mentions that are misspelt': ({ body }) => (body.allowed_mentions.user = body.allowed_mentions.parse),
    },
  },
  'discord.answers': {
    validate: discord.answers,
    covers: ['GET /applications/{id}/commands', 'GET /gateway/bot', 'POST /channels/{id}/messages'],
    mutants: {
      'a message without an author': ({ answer }) => delete answer.author.username,
      'an id that is a number': ({ answer }) => (answer.id = Number(answer.id.slice(0, 9))),
      'a time that is none': ({ answer }) => (answer.timestamp = answer.timestamp.slice(0, 5)),
    },
  },
  'slack.requests': {
    validate: slack.requests,
    covers: [
      'chat.postMessage',
      'chat.update',
      'views.open',
      'views.update',
      'views.publish',
      'files.getUploadURLExternal',
      'files.completeUploadExternal',
      'response_url',
      'suggestions',
      'answer to a form',
      'manifest',
    ],
    mutants: {
      'an argument that does not exist': (call) => (call.form.colour = call.form.text && 'red'),
      'markup on a button': (call) => inJSON(call, (v) => v.type === 'button', (v) => (v.text.type = 'mrkdwn')),
      'a block that does not exist': (call) => inJSON(call, (v) => v.type === 'actions', (v) => (v.type = 'buttons')),
      'a form without a title': (call) => inJSON(call, (v) => v.type === 'modal', (v) => delete v.title),
      'a choice without a text': (call) => inJSON(call, (v) => v.text && v.value && !v.type, (v) => delete v.text),
      'a style of text that does not exist': (call) => inJSON(call, (v) => v.style?.bold, (v) => (v.style.glow = true)),
      'a manifest without a name': ({ body }) => delete body.display_information.name,
    },
  },
};

const [kind, file] = process.argv.slice(2);
const { validate, covers, mutants } = validators[kind];
const calls = readLines(file);
const report = new Report();
validate(calls, report);
for (const name of covers) if (!report.names.includes(name)) report.bad(name, 'was not recorded');
for (const [name, mutate] of Object.entries(mutants)) {
  const mutant = firstMutant(mutate);
  const found = new Report();
  if (mutant) validate([mutant], found);
  if (!mutant) report.bad(name, 'could not be made of the record');
  else if (!found.failed) report.bad(name, 'was not found out', mutant);
}
report.end(`${kind} of ${new Set(report.names).size} kinds, ${Object.keys(mutants).length} mistakes found out`);

/** The first call that can be made wrong in this way, made wrong. */
function firstMutant(mutate) {
  for (const call of calls) {
    const mutant = structuredClone(call);
    try {
      mutate(mutant);
    } catch {
      continue; // not of the kind
    }
    if (JSON.stringify(mutant) !== JSON.stringify(call)) return mutant;
  }
  return undefined;
}

/** The first object in the components of a body that has a field. */
function first({ body }, field) {
  return all(body.components ?? body.data.components).find((v) => typeof v[field] === 'string');
}

/** Changes the first fitting object in a body, or in an argument that is JSON. */
function inJSON(call, fits, change) {
  for (const key of ['body', 'blocks', 'view']) {
    const value = key === 'body' ? call.body : call.form?.[key] && JSON.parse(call.form[key]);
    const found = value && all(value).find(fits);
    if (!found) continue;
    change(found);
    if (key !== 'body') call.form[key] = JSON.stringify(value);
    return;
  }
}

/** All objects in a value. */
function all(value) {
  if (value === null || typeof value !== 'object') return [];
  return [...(Array.isArray(value) ? [] : [value]), ...Object.values(value).flatMap(all)];
}
