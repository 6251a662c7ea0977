package discord

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
)

func jsonInt(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// json returns the message object.
// https://discord.com/developers/docs/resources/message#message-object
func (m *message) json() object {
	s := m.channel.server
	out := object{
		"id": m.id, "type": m.kind, "channel_id": m.channel.ID, "author": m.author.json(),
		"content": m.content, "timestamp": isoTime(m.created), "edited_timestamp": nil, "tts": false,
		"mention_everyone": m.mentions.everyone, "mentions": m.mentions.usersJSON(s), "mention_roles": m.mentions.roles,
		"attachments": m.filesJSON(), "embeds": m.embedsJSON(), "components": m.componentsJSON(),
		"pinned": false, "flags": m.flags,
	}
	if !m.edited.IsZero() {
		out["edited_timestamp"] = isoTime(m.edited)
	}
	if m.nonce != nil {
		out["nonce"] = m.nonce
	}
	if m.replyTo != nil {
		out["message_reference"] = object{"type": 0, "channel_id": m.channel.ID, "message_id": m.replyTo.id}
		out["referenced_message"] = nil
		if !m.replyTo.deleted {
			target := *m.replyTo
			target.replyTo = nil
			out["referenced_message"] = target.json()
		}
	}
	if i := m.interaction; i != nil {
		out["application_id"], out["webhook_id"] = s.app, s.app
		out["interaction_metadata"] = i.metadata()
		if i.kind == typeCommand {
			out["interaction"] = object{"id": i.ID, "type": i.kind, "name": i.name, "user": i.User.json()}
		}
	}
	return out
}

func (m *message) filesJSON() []object {
	out := make([]object, 0, len(m.files))
	for _, f := range m.files {
		out = append(out, f.json())
	}
	return out
}

// fileNamed finds the attachment that attachment://name means.
func (m *message) fileNamed(name string) *file {
	for _, f := range m.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

// mediaJSON resolves an unfurled media item.
// https://discord.com/developers/docs/components/reference#unfurled-media-item
func (m *message) mediaJSON(media object) object {
	u := textIn(media["url"])
	out := object{"id": m.id, "url": u, "proxy_url": u}
	if name, ok := strings.CutPrefix(u, "attachment://"); ok {
		if f := m.fileNamed(name); f != nil {
			out["url"], out["proxy_url"] = f.url(), f.url()
			out["attachment_id"], out["content_type"] = f.id, f.contentType
		}
	}
	return out
}

func (m *message) componentsJSON() []object {
	out := make([]object, 0, len(m.components))
	for _, c := range m.components {
		out = append(out, m.componentJSON(c))
	}
	return out
}

func (m *message) componentJSON(c object) object {
	out := maps.Clone(c)
	if inner := objectsIn(c["components"]); len(inner) > 0 {
		list := make([]any, 0, len(inner))
		for _, i := range inner {
			list = append(list, m.componentJSON(i))
		}
		out["components"] = list
	}
	if inner, ok := c["accessory"].(object); ok {
		out["accessory"] = m.componentJSON(inner)
	}
	switch intOf(c["type"]) {
	case thumbnail:
		out["media"] = m.mediaJSON(objectIn(c["media"]))
		out["spoiler"] = boolIn(c["spoiler"])
		setDefault(out, "description", nil)
	case fileComponent:
		out["file"] = m.mediaJSON(objectIn(c["file"]))
		out["spoiler"] = boolIn(c["spoiler"])
		if f := m.fileNamed(strings.TrimPrefix(textIn(objectIn(c["file"])["url"]), "attachment://")); f != nil {
			out["name"], out["size"] = f.name, f.size
		}
	case mediaGallery:
		shown := objectsIn(c["items"])
		items := make([]any, 0, len(shown))
		for _, item := range shown {
			items = append(items, object{
				"media": m.mediaJSON(objectIn(item["media"])), "description": item["description"], "spoiler": boolIn(item["spoiler"]),
			})
		}
		out["items"] = items
	case container:
		out["spoiler"] = boolIn(c["spoiler"])
		setDefault(out, "accent_color", nil)
	case separator:
		setDefault(out, "spacing", jsonInt(1))
		setDefault(out, "divider", true)
	case stringSelect, userSelect, roleSelect, mentionableSelect, channelSelect:
		setDefault(out, "min_values", jsonInt(1))
		setDefault(out, "max_values", jsonInt(1))
	default:
	}
	return out
}

func setDefault(o object, name string, value any) {
	if o[name] == nil {
		o[name] = value
	}
}

func (m *message) embedsJSON() []object {
	out := make([]object, 0, len(m.embeds))
	for _, e := range m.embeds {
		clean := object{"type": "rich"}
		for k, v := range e {
			if v != nil {
				clean[k] = v
			}
		}
		if fields := objectsIn(e["fields"]); len(fields) > 0 {
			list := make([]any, 0, len(fields))
			for _, f := range fields {
				list = append(list, object{"name": f["name"], "value": f["value"], "inline": boolIn(f["inline"])})
			}
			clean["fields"] = list
		}
		for _, slot := range []string{"image", "thumbnail"} {
			if media, ok := clean[slot].(object); ok {
				resolved := m.mediaJSON(media)
				clean[slot] = object{"url": resolved["url"], "proxy_url": resolved["proxy_url"]}
			}
		}
		out = append(out, clean)
	}
	return out
}
