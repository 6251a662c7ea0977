// Builds commands, messages and forms anew with @discordjs/builders, whose
// builders refuse what Discord would. What they build is to be what was given.
import { ContextMenuCommandBuilder, ModalBuilder, SlashCommandBuilder, createComponentBuilder } from '@discordjs/builders';

const plain = (value) => JSON.parse(JSON.stringify(value));

/** The method that adds an option, by its type. */
const adders = {
  1: 'addSubcommand', 2: 'addSubcommandGroup', 3: 'addStringOption', 4: 'addIntegerOption', 5: 'addBooleanOption', 6: 'addUserOption',
  7: 'addChannelOption', 8: 'addRoleOption', 9: 'addMentionableOption', 10: 'addNumberOption', 11: 'addAttachmentOption',
};

/** The method that sets a field, by its name. */
const setters = {
  name_localizations: 'setNameLocalizations', description: 'setDescription', description_localizations: 'setDescriptionLocalizations',
  required: 'setRequired', autocomplete: 'setAutocomplete', min_value: 'setMinValue', max_value: 'setMaxValue',
  min_length: 'setMinLength', max_length: 'setMaxLength', type: 'setType', nsfw: 'setNSFW', contexts: 'setContexts',
  integration_types: 'setIntegrationTypes', default_member_permissions: 'setDefaultMemberPermissions',
};

function fill(builder, definition) {
  builder.setName(definition.name);
  for (const [field, value] of Object.entries(definition)) {
    if (setters[field] && typeof builder[setters[field]] === 'function') builder[setters[field]](value);
  }
  if (definition.choices) builder.addChoices(...definition.choices);
  for (const option of definition.options ?? []) builder[adders[option.type]]((inner) => fill(inner, option));
  return builder;
}

/** A field that says nothing: the default, or an empty description. */
const silent = { required: false, options: [], description: '', type: 1 };

function spoken(definition, top) {
  const kept = Object.entries(definition).filter(([k, v]) => !(k in silent && (top || k !== 'type') && JSON.stringify(v) === JSON.stringify(silent[k])));
  const out = Object.fromEntries(kept);
  if (out.options) out.options = out.options.map((o) => spoken(o, false));
  return out;
}

/** Builds a command. Defaults that are written out make no difference. */
export function rebuildCommand(definition) {
  const builder = definition.type === 3 || definition.type === 2 ? new ContextMenuCommandBuilder() : new SlashCommandBuilder();
  const built = spoken(plain(fill(builder, definition)), true);
  const given = spoken(definition, true);
  return JSON.stringify(sorted(built)) === JSON.stringify(sorted(given)) ? definition : built;
}

const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
};

/** Builds the components of a message. */
export function rebuildMessage(body) {
  if (!body.components) return body;
  return { ...body, components: body.components.map((c) => plain(createComponentBuilder(c).toJSON())) };
}

/** Builds a form. */
export const rebuildModal = (data) => plain(new ModalBuilder(data).toJSON());
