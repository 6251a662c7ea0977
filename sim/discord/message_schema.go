package discord

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"
)

// Limits of messages and embeds.
// https://discord.com/developers/docs/resources/message#create-message
// https://discord.com/developers/docs/resources/message#embed-object-embed-limits
const (
	maxContent     = 2000
	maxEmbeds      = 10
	maxEmbedTitle  = 256
	maxEmbedText   = 4096
	maxEmbedFields = 25
	maxFieldName   = 256
	maxFieldValue  = 1024
	maxFooter      = 2048
	maxAuthor      = 256
	maxEmbedTotal  = 6000
	maxFiles       = 10
	maxAltText     = 1024
	maxNonce       = 25
)

// Message flags.
// https://discord.com/developers/docs/resources/message#message-object-message-flags
const (
	flagSuppressEmbeds        = 1 << 2
	flagEphemeral             = 1 << 6
	flagLoading               = 1 << 7
	flagSuppressNotifications = 1 << 12
	flagComponentsV2          = 1 << 15
)

var embedSchema = fieldsOf(map[string]schema{
	"title": orNull(text(0, maxEmbedTitle)), "description": orNull(text(0, maxEmbedText)),
	"type": orNull(textOf("rich")), "url": orNull(link(2048)), "timestamp": orNull(schema{kind: timestamp}),
	"color":  orNull(whole(0, 0xffffff)),
	"footer": orNull(fieldsOf(map[string]schema{"text": need(text(1, maxFooter)), "icon_url": orNull(link(2048))})),
	"author": orNull(fieldsOf(map[string]schema{
		"name": need(text(1, maxAuthor)), "url": orNull(link(2048)), "icon_url": orNull(link(2048)),
	})),
	"image":     orNull(fieldsOf(map[string]schema{"url": need(link(2048))})),
	"thumbnail": orNull(fieldsOf(map[string]schema{"url": need(link(2048))})),
	"fields": orNull(listOf(fieldsOf(map[string]schema{
		"name": need(text(1, maxFieldName)), "value": need(text(1, maxFieldValue)), "inline": orNull(flag()),
	}), 0, maxEmbedFields)),
})

var allowedMentionsSchema = fieldsOf(map[string]schema{
	"parse": orNull(listOf(textOf("users", "roles", "everyone"), 0, 3)),
	"users": orNull(listOf(id(), 0, 100)), "roles": orNull(listOf(id(), 0, 100)), "replied_user": orNull(flag()),
})

var attachmentSchema = fieldsOf(map[string]schema{
	"id": need(id()), "filename": orNull(text(1, 1024)), "description": orNull(text(0, maxAltText)),
	"title": orNull(text(0, 1024)), "is_spoiler": orNull(flag()),
	"duration_secs": orNull(schema{kind: number}), "waveform": orNull(text(0, 400)),
})

var referenceSchema = fieldsOf(map[string]schema{
	"message_id": need(id()), "channel_id": orNull(id()), "guild_id": orNull(id()),
	"fail_if_not_exists": orNull(flag()), "type": orNull(wholeOf(0, 1)),
})

// messageFields returns the fields that every message body has, and more.
func messageFields(more map[string]schema) schema {
	fields := map[string]schema{
		"content": orNull(text(0, maxContent)), "embeds": orNull(listOf(embedSchema, 0, maxEmbeds)),
		"allowed_mentions": orNull(allowedMentionsSchema), "components": orNull(listOf(schema{}, 0, maxV2Components)),
		"flags": orNull(whole(0, 1<<31-1)), "attachments": orNull(listOf(attachmentSchema, 0, maxFiles)),
	}
	maps.Copy(fields, more)
	return fieldsOf(fields)
}

// The bodies of the message routes.
var (
	createMessageSchema = messageFields(map[string]schema{
		"tts": orNull(flag()), "nonce": orNull(schema{}), "enforce_nonce": orNull(flag()),
		"message_reference": orNull(referenceSchema), "sticker_ids": orNull(listOf(id(), 0, 3)),
		"poll": orNull(schema{}),
	})
	editMessageSchema = messageFields(nil)
	followupSchema    = messageFields(map[string]schema{"tts": orNull(flag()), "poll": orNull(schema{})})
)

// A bodyKind says by which route a message body came, which decides the flags
// and the default mentions.
type bodyKind struct {
	schema      schema
	flags       int  // bits that may be set
	edit        bool // absent fields keep their value
	interaction bool // webhook rules for default mentions
}

var (
	botCreate     = bodyKind{schema: createMessageSchema, flags: flagSuppressEmbeds | flagSuppressNotifications | flagComponentsV2}
	botEdit       = bodyKind{schema: editMessageSchema, flags: flagSuppressEmbeds | flagComponentsV2, edit: true}
	webhookCreate = bodyKind{schema: followupSchema, flags: flagSuppressEmbeds | flagEphemeral | flagSuppressNotifications | flagComponentsV2, interaction: true}
	webhookEdit   = bodyKind{schema: followupSchema, flags: flagSuppressEmbeds | flagComponentsV2, edit: true, interaction: true}
)

// checkMessage records what is wrong with body, which is to become the
// message old (nil for a new one) with the files named in uploads added.
// prefix is "data." in a callback.
func (c *checker) checkMessage(prefix string, body object, k bodyKind, old *message, uploads []string) {
	sub := &checker{}
	sub.check("", k.schema, body)
	next := mergeDraft(body, old)
	sub.checkFlags(body, k, old, next.flags)
	v2 := next.flags&flagComponentsV2 != 0
	table := legacyComponents
	if v2 {
		table = v2Components
		sub.checkLegacyFields(next)
	}
	if body["components"] != nil {
		sub.check("components", table, body["components"])
		sub.checkComponents(objectsIn(body["components"]), v2, append(next.fileNames(old), uploads...))
	}
	sub.checkEmbeds(next.embeds, append(next.fileNames(old), uploads...))
	sub.checkAllowedMentions(objectIn(body["allowed_mentions"]))
	sub.checkNonce(body)
	if body["poll"] != nil {
		sub.add("poll", "SIM_UNSUPPORTED", "The simulator has no polls.")
	}
	if len(listIn(body["sticker_ids"])) > 0 {
		sub.add("sticker_ids", "SIM_UNSUPPORTED", "The simulator has no stickers.")
	}
	for _, e := range sub.errs {
		c.errs = append(c.errs, fieldError{path: prefix + e.path, code: e.code, message: e.message})
	}
}

func (c *checker) checkFlags(body object, k bodyKind, old *message, flags int) {
	if body["flags"] == nil {
		return
	}
	allowed := k.flags
	if old != nil {
		allowed |= old.flags // what is already set may be repeated
		if old.flags&flagComponentsV2 != 0 && flags&flagComponentsV2 == 0 {
			c.add("flags", "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", "The MessageFlags.IS_COMPONENTS_V2 flag cannot be removed")
		}
	}
	if bad := intOf(body["flags"]) &^ allowed; bad != 0 {
		c.add("flags", "MESSAGE_FLAGS_INVALID", "The flags %d cannot be set here", bad)
	}
}

// checkLegacyFields refuses what a Components V2 message cannot have.
func (c *checker) checkLegacyFields(d draft) {
	const text = "The '%s' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
	for name, used := range map[string]bool{"content": d.content != "", "embeds": len(d.embeds) > 0, "poll": d.poll, "sticker_ids": d.stickers} {
		if used {
			c.add(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", text, name)
		}
	}
}

func (c *checker) checkEmbeds(embeds []object, files []string) {
	total := 0
	for i, e := range embeds {
		path := at("embeds", i)
		total += embedLength(e)
		if embedLength(e) == 0 && e["image"] == nil && e["thumbnail"] == nil {
			c.add(path, "EMBED_EMPTY", "An embed must have a title, a description, a field or an image")
		}
		for _, slot := range []string{"image", "thumbnail"} {
			name, isAttachment := strings.CutPrefix(textIn(objectIn(e[slot])["url"]), "attachment://")
			if isAttachment {
				c.checkMedia(join(path, slot), object{"url": "attachment://" + name}, files, true)
			}
		}
	}
	if total > maxEmbedTotal {
		c.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of %d", maxEmbedTotal)
	}
}

func embedLength(e object) int {
	n := utf8.RuneCountInString(textIn(e["title"])) + utf8.RuneCountInString(textIn(e["description"])) +
		utf8.RuneCountInString(textIn(objectIn(e["footer"])["text"])) + utf8.RuneCountInString(textIn(objectIn(e["author"])["name"]))
	for _, f := range objectsIn(e["fields"]) {
		n += utf8.RuneCountInString(textIn(f["name"])) + utf8.RuneCountInString(textIn(f["value"]))
	}
	return n
}

// checkAllowedMentions: a kind is either parsed or listed.
func (c *checker) checkAllowedMentions(m object) {
	for _, p := range listIn(m["parse"]) {
		name := textIn(p)
		if len(listIn(m[name])) > 0 {
			c.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "parse:[%q] and %s: [ids...] are mutually exclusive.", name, name)
		}
	}
}

func (c *checker) checkNonce(body object) {
	nonce := idIn(body["nonce"])
	if n := utf8.RuneCountInString(nonce); n > maxNonce {
		c.add("nonce", "NONCE_TYPE_TOO_LONG", "Nonce must be %d or fewer in length.", maxNonce)
	}
	if body["nonce"] != nil && nonce == "" {
		c.add("nonce", "NONCE_TYPE_INVALID", "Nonce %s is neither a string nor an integer.", fmt.Sprint(body["nonce"]))
	}
}
