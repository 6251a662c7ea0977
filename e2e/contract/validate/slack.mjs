// Validates what our bot sent to Slack, and its manifests, against JSON Schemas
// made of the types that Slack publishes.
import { join } from 'node:path';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const here = import.meta.dirname;
const generator = createGenerator({ path: join(here, 'slack-types.ts'), tsconfig: join(here, '..', 'tsconfig.json'), skipTypeCheck: true });
const ajv = new Ajv({ allErrors: true, strict: false });
const validators = {};

/** Arguments that are JSON in a form. */
const structured = ['blocks', 'attachments', 'view', 'files', 'metadata'];

/** Arguments that a method has, or may be given, and the types do not say so. */
const more = {
  // https://docs.slack.dev/reference/methods/files.getUploadURLExternal calls it alt_txt; the types call it alt_text.
  'files.getUploadURLExternal': ({ alt_txt, ...rest }) => (alt_txt === undefined ? rest : { ...rest, alt_text: alt_txt }),
};

/** The type of what each method takes. */
const types = {
  'chat.postMessage': 'PostMessage',
  'chat.postEphemeral': 'PostEphemeral',
  'chat.update': 'Update',
  'chat.delete': 'Delete',
  'views.open': 'OpenView',
  'views.update': 'UpdateView',
  'views.publish': 'PublishView',
  'files.getUploadURLExternal': 'GetUploadURL',
  'files.completeUploadExternal': 'CompleteUpload',
  response_url: 'Respond',
  manifest: 'AppManifest',
};

/** Validates the requests of calls. Methods that send nothing of ours have no row. */
export function requests(calls, report) {
  for (const call of calls) {
    if (call.path === 'socket') checkAck(call.body, report);
    else if (types[call.path]) check(call.path, types[call.path], args(call), report);
  }
}

function check(name, type, value, report) {
  report.seen(name);
  validators[type] ??= ajv.compile(generator.createSchema(type));
  if (validators[type](value)) return;
  const errors = validators[type].errors.map((e) => `${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
  report.bad(name, [...new Set(errors)].join('; '), value);
}

/** An acknowledgement carries choices, what happens to a view, or a message. */
function checkAck(payload, report) {
  if ('options' in payload || 'option_groups' in payload) check('suggestions', 'Suggestions', payload, report);
  else if ('response_action' in payload) check('answer to a form', 'ViewResponse', payload, report);
  else check('answer to a command', 'Respond', payload, report);
}

/** A form has texts only; what they stand for is in Slack's documentation of each argument. */
function args({ path, form, body }) {
  const given = body ?? Object.fromEntries(Object.entries(form).map(([key, text]) => [key, fromText(key, text)]));
  return more[path]?.(given) ?? given;
}

function fromText(key, text) {
  if (structured.includes(key)) return JSON.parse(text);
  if (['length', 'limit'].includes(key)) return Number(text);
  return { true: true, false: false }[text] ?? text;
}
