package discord_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func row(components ...object) object {
	return object{"type": 1, "components": append([]object{}, components...)}
}

func button(customID string) object {
	return object{"type": 2, "style": 1, "label": "Go", "custom_id": customID}
}

func textDisplay(content string) object { return object{"type": 10, "content": content} }

func repeat(n int, build func(i int) object) []object {
	out := make([]object, 0, n)
	for i := range n {
		out = append(out, build(i))
	}
	return out
}

const v2 = 1 << 15

// TestMessageBodiesAreRefused is the table of what a message may not be.
func TestMessageBodiesAreRefused(t *testing.T) {
	gallery := func(url string) object {
		return object{"type": 12, "items": []object{{"media": object{"url": url}}}}
	}
	option := func(i int) object { return object{"label": "a", "value": strconv.Itoa(i)} }
	menu := func(n int) object {
		return object{"type": 3, "custom_id": "m", "options": repeat(n, option)}
	}
	embed := func(e object) object { return object{"embeds": []object{e}} }
	for name, tc := range map[string]struct {
		body object
		want map[string]string
	}{
		"content over 2000":           {object{"content": chars(2001)}, map[string]string{"content": "BASE_TYPE_MAX_LENGTH"}},
		"content that is a number":    {object{"content": 5}, map[string]string{"content": "STRING_TYPE_CONVERT"}},
		"a field that does not exist": {object{"content": "a", "contnet": "b"}, map[string]string{"contnet": "SIM_UNKNOWN_FIELD"}},
		"eleven embeds": {
			object{"embeds": repeat(11, func(int) object { return object{"title": "a"} })},
			map[string]string{"embeds": "BASE_TYPE_MAX_LENGTH"},
		},
		"embed title over 256":         {embed(object{"title": chars(257)}), map[string]string{"embeds.0.title": "BASE_TYPE_MAX_LENGTH"}},
		"embed description over 4096":  {embed(object{"description": chars(4097)}), map[string]string{"embeds.0.description": "BASE_TYPE_MAX_LENGTH"}},
		"embed footer over 2048":       {embed(object{"title": "a", "footer": object{"text": chars(2049)}}), map[string]string{"embeds.0.footer.text": "BASE_TYPE_BAD_LENGTH"}},
		"embed author over 256":        {embed(object{"author": object{"name": chars(257)}}), map[string]string{"embeds.0.author.name": "BASE_TYPE_BAD_LENGTH"}},
		"embed field without value":    {embed(object{"fields": []object{{"name": "a"}}}), map[string]string{"embeds.0.fields.0.value": "BASE_TYPE_REQUIRED"}},
		"embed field value over 1024":  {embed(object{"fields": []object{{"name": "a", "value": chars(1025)}}}), map[string]string{"embeds.0.fields.0.value": "BASE_TYPE_BAD_LENGTH"}},
		"embed field name over 256":    {embed(object{"fields": []object{{"name": chars(257), "value": "a"}}}), map[string]string{"embeds.0.fields.0.name": "BASE_TYPE_BAD_LENGTH"}},
		"26 embed fields":              {embed(object{"fields": repeat(26, func(int) object { return object{"name": "a", "value": "b"} })}), map[string]string{"embeds.0.fields": "BASE_TYPE_MAX_LENGTH"}},
		"embed with nothing in it":     {embed(object{"color": 1}), map[string]string{"embeds.0": "EMBED_EMPTY"}},
		"embed colour beyond white":    {embed(object{"title": "a", "color": 0x1000000}), map[string]string{"embeds.0.color": "NUMBER_TYPE_MAX"}},
		"embed URL that is not a URL":  {embed(object{"title": "a", "url": "nope"}), map[string]string{"embeds.0.url": "URL_TYPE_INVALID_SCHEME"}},
		"embed timestamp of no form":   {embed(object{"title": "a", "timestamp": "now"}), map[string]string{"embeds.0.timestamp": "DATE_TIME_TYPE_PARSE"}},
		"embed that sets a video":      {embed(object{"title": "a", "video": object{"url": "https://e.org/a.mp4"}}), map[string]string{"embeds.0.video": "SIM_UNKNOWN_FIELD"}},
		"embeds over 6000 in all":      {object{"embeds": repeat(2, func(int) object { return object{"description": chars(3001)} })}, map[string]string{"embeds": "MAX_EMBED_SIZE_EXCEEDED"}},
		"embed image of a lost file":   {embed(object{"image": object{"url": "attachment://a.png"}}), map[string]string{"embeds.0.image.url": "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"}},
		"six legacy rows":              {object{"components": repeat(6, func(i int) object { return row(button(strconv.Itoa(i))) })}, map[string]string{"components": "BASE_TYPE_MAX_LENGTH"}},
		"six buttons in a row":         {object{"components": []object{row(repeat(6, func(i int) object { return button(strconv.Itoa(i)) })...)}}, map[string]string{"components.0.components": "BASE_TYPE_BAD_LENGTH"}},
		"an empty row":                 {object{"components": []object{row()}}, map[string]string{"components.0.components": "BASE_TYPE_BAD_LENGTH"}},
		"a menu beside a button":       {object{"components": []object{row(button("a"), menu(1))}}, map[string]string{"components.0.components": "COMPONENT_LAYOUT_WIDTH_EXCEEDED"}},
		"a menu of 26":                 {object{"components": []object{row(menu(26))}}, map[string]string{"components.0.components.0.options": "BASE_TYPE_BAD_LENGTH"}},
		"a menu with the same value":   {object{"components": []object{row(object{"type": 3, "custom_id": "m", "options": []object{option(1), option(1)}})}}, map[string]string{"components.0.components.0.options.1.value": "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"}},
		"a menu that wants min > max":  {object{"components": []object{row(object{"type": 5, "custom_id": "m", "min_values": 3, "max_values": 2})}}, map[string]string{"components.0.components.0.min_values": "COMPONENT_MIN_VALUES_EXCEEDS_MAX"}},
		"a menu of more than it has":   {object{"components": []object{row(object{"type": 3, "custom_id": "m", "max_values": 2, "options": []object{option(1)}})}}, map[string]string{"components.0.components.0.max_values": "COMPONENT_MAX_VALUES_EXCEEDS_OPTIONS"}},
		"a placeholder over 150":       {object{"components": []object{row(object{"type": 5, "custom_id": "m", "placeholder": chars(151)})}}, map[string]string{"components.0.components.0.placeholder": "BASE_TYPE_MAX_LENGTH"}},
		"a label over 80":              {object{"components": []object{row(object{"type": 2, "style": 1, "label": chars(81), "custom_id": "a"})}}, map[string]string{"components.0.components.0.label": "BASE_TYPE_MAX_LENGTH"}},
		"a custom id over 100":         {object{"components": []object{row(button(chars(101)))}}, map[string]string{"components.0.components.0.custom_id": "BASE_TYPE_BAD_LENGTH"}},
		"a custom id twice":            {object{"components": []object{row(button("a")), row(button("a"))}}, map[string]string{"components.1.components.0.custom_id": "COMPONENT_CUSTOM_ID_DUPLICATED"}},
		"a button without custom id":   {object{"components": []object{row(object{"type": 2, "style": 1, "label": "a"})}}, map[string]string{"components.0.components.0.custom_id": "BASE_TYPE_REQUIRED"}},
		"a button without a face":      {object{"components": []object{row(object{"type": 2, "style": 1, "custom_id": "a"})}}, map[string]string{"components.0.components.0": "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED"}},
		"a link without URL":           {object{"components": []object{row(object{"type": 2, "style": 5, "label": "a"})}}, map[string]string{"components.0.components.0.url": "BASE_TYPE_REQUIRED"}},
		"a link with a custom id":      {object{"components": []object{row(object{"type": 2, "style": 5, "label": "a", "url": "https://e.org", "custom_id": "a"})}}, map[string]string{"components.0.components.0": "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE"}},
		"a button with a URL":          {object{"components": []object{row(object{"type": 2, "style": 1, "label": "a", "url": "https://e.org", "custom_id": "a"})}}, map[string]string{"components.0.components.0.url": "BUTTON_COMPONENT_INVALID_URL"}},
		"a link URL over 512":          {object{"components": []object{row(object{"type": 2, "style": 5, "label": "a", "url": "https://e.org/" + chars(500)})}}, map[string]string{"components.0.components.0.url": "BASE_TYPE_MAX_LENGTH"}},
		"a button style of 9":          {object{"components": []object{row(object{"type": 2, "style": 9, "label": "a", "custom_id": "a"})}}, map[string]string{"components.0.components.0.style": "BASE_TYPE_CHOICES"}},
		"text input in a message":      {object{"components": []object{row(object{"type": 4, "custom_id": "a", "style": 1})}}, map[string]string{"components.0.components.0.type": "UNION_TYPE_CHOICES"}},
		"V2 components without flag":   {object{"components": []object{textDisplay("a")}}, map[string]string{"components.0.type": "UNION_TYPE_CHOICES"}},
		"content with V2":              {object{"flags": v2, "content": "a", "components": []object{textDisplay("a")}}, map[string]string{"content": "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"}},
		"embeds with V2":               {object{"flags": v2, "embeds": []object{{"title": "a"}}, "components": []object{textDisplay("a")}}, map[string]string{"embeds": "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"}},
		"41 nested V2 components":      {object{"flags": v2, "components": []object{{"type": 17, "components": repeat(40, func(int) object { return textDisplay("a") })}}}, map[string]string{"components": "MAX_COMPONENTS_EXCEEDED"}},
		"V2 text over 4000 in all":     {object{"flags": v2, "components": repeat(2, func(int) object { return textDisplay(chars(2001)) })}, map[string]string{"components": "COMPONENT_TEXT_TOO_LONG"}},
		"an empty text display":        {object{"flags": v2, "components": []object{textDisplay("")}}, map[string]string{"components.0.content": "BASE_TYPE_BAD_LENGTH"}},
		"eleven gallery items":         {object{"flags": v2, "components": []object{{"type": 12, "items": repeat(11, func(int) object { return object{"media": object{"url": "https://e.org/a.png"}} })}}}, map[string]string{"components.0.items": "BASE_TYPE_BAD_LENGTH"}},
		"a gallery of a lost file":     {object{"flags": v2, "components": []object{gallery("attachment://a.mp4")}}, map[string]string{"components.0.items.0.media.url": "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"}},
		"gallery alt text over 1024":   {object{"flags": v2, "components": []object{{"type": 12, "items": []object{{"media": object{"url": "https://e.org/a.png"}, "description": chars(1025)}}}}}, map[string]string{"components.0.items.0.description": "BASE_TYPE_MAX_LENGTH"}},
		"a file that is a link":        {object{"flags": v2, "components": []object{{"type": 13, "file": object{"url": "https://e.org/a.mp4"}}}}, map[string]string{"components.0.file.url": "UNFURLED_MEDIA_ITEM_ATTACHMENT_REQUIRED"}},
		"a container in a container":   {object{"flags": v2, "components": []object{{"type": 17, "components": []object{{"type": 17, "components": []object{textDisplay("a")}}}}}}, map[string]string{"components.0.components.0.type": "UNION_TYPE_CHOICES"}},
		"a section without accessory":  {object{"flags": v2, "components": []object{{"type": 9, "components": []object{textDisplay("a")}}}}, map[string]string{"components.0.accessory": "BASE_TYPE_REQUIRED"}},
		"a separator of spacing 3":     {object{"flags": v2, "components": []object{{"type": 14, "spacing": 3}}}, map[string]string{"components.0.spacing": "BASE_TYPE_CHOICES"}},
		"a component number twice":     {object{"flags": v2, "components": []object{{"type": 10, "id": 7, "content": "a"}, {"type": 10, "id": 7, "content": "a"}}}, map[string]string{"components.1.id": "COMPONENT_ID_DUPLICATED"}},
		"a flag that bots cannot set":  {object{"content": "a", "flags": 64}, map[string]string{"flags": "MESSAGE_FLAGS_INVALID"}},
		"a nonce over 25":              {object{"content": "a", "nonce": chars(26)}, map[string]string{"nonce": "NONCE_TYPE_TOO_LONG"}},
		"a kind parsed and listed":     {object{"content": "a", "allowed_mentions": object{"parse": []string{"users"}, "users": []string{"1"}}}, map[string]string{"allowed_mentions": "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"}},
		"a kind that is not a mention": {object{"content": "a", "allowed_mentions": object{"parse": []string{"all"}}}, map[string]string{"allowed_mentions.parse.0": "BASE_TYPE_CHOICES"}},
		"an attachment that is lost":   {object{"content": "a", "attachments": []object{{"id": "0", "filename": "a.mp4"}}}, map[string]string{"attachments.0.id": "ATTACHMENT_NOT_FOUND"}},
		"alt text over 1024":           {object{"content": "a", "attachments": []object{{"id": "0", "description": chars(1025)}}}, map[string]string{"attachments.0.id": "ATTACHMENT_NOT_FOUND", "attachments.0.description": "BASE_TYPE_MAX_LENGTH"}},
		"a reply to nothing":           {object{"content": "a", "message_reference": object{"message_id": "1"}}, map[string]string{"message_reference": "REPLIES_UNKNOWN_MESSAGE"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			a := s.send(tc.body)
			if a.Status != 400 || a.Code != 50035 {
				t.Fatalf("answered %d, code %d: %s", a.Status, a.Code, a.Raw)
			}
			if diff := cmp.Diff(tc.want, a.Fields); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if n := len(s.general.Messages()); n != 0 {
				t.Errorf("%d messages were posted", n)
			}
		})
	}
}

func TestMessageAtEveryLimitIsAccepted(t *testing.T) {
	for name, body := range map[string]object{
		"2000 characters that are not ASCII": {"content": strings.Repeat("é", 2000)},
		"6000 in embeds":                     {"embeds": []object{{"description": chars(4096)}, {"description": chars(1904)}}},
		"25 buttons": {"components": repeat(5, func(r int) object {
			return row(repeat(5, func(c int) object { return button(strconv.Itoa(r*5 + c)) })...)
		})},
		"40 components of V2": {"flags": v2, "components": []object{{"type": 17, "components": repeat(39, func(int) object { return textDisplay("a") })}}},
		"a section with a button": {"flags": v2, "components": []object{
			{"type": 9, "components": []object{textDisplay("a")}, "accessory": button("b")},
		}},
		"nulls everywhere": {"content": "a", "embeds": nil, "components": nil, "allowed_mentions": nil, "attachments": nil, "flags": nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			if a := s.send(body); a.Status != 200 {
				t.Errorf("answered %d: %s", a.Status, a.Raw)
			}
		})
	}
}

func TestAMessageNeedsSomething(t *testing.T) {
	s := newStage(t)
	for name, body := range map[string]any{"nothing": object{}, "spaces": object{"content": " \n"}, "V2 without components": object{"flags": v2}} {
		if a := s.send(body); a.Status != 400 || a.Code != 50006 {
			t.Errorf("%s: answered %d, code %d", name, a.Status, a.Code)
		}
	}
}

func TestARequestHasToBeWellFormed(t *testing.T) {
	s := newStage(t)
	path := "/channels/" + s.general.ID + "/messages"
	for name, tc := range map[string]struct {
		change func(*stage)
		method string
		path   string
		body   any
		status int
		code   int
	}{
		"broken JSON":            {nil, "POST", path, "{", 400, 50109},
		"JSON with a tail":       {nil, "POST", path, `{"content":"a"}{}`, 400, 50109},
		"a list for an object":   {nil, "POST", path, "[]", 400, 50035},
		"an unknown route":       {nil, "GET", "/nowhere", nil, 404, 0},
		"a wrong method":         {nil, "PUT", path, object{}, 405, 0},
		"version 8":              {func(s *stage) { s.version = "v8" }, "GET", "/gateway", nil, 400, 50041},
		"no token":               {func(s *stage) { s.auth = "" }, "GET", "/users/@me", nil, 401, 0},
		"a token without Bot":    {func(s *stage) { s.auth = strings.TrimPrefix(s.auth, "Bot ") }, "GET", "/users/@me", nil, 401, 0},
		"a browser's user agent": {func(s *stage) { s.agent = "Mozilla/5.0" }, "GET", "/users/@me", nil, 403, 40333},
		"a foreign application":  {nil, "GET", "/applications/1/commands", nil, 404, 10002},
	} {
		t.Run(name, func(t *testing.T) {
			changed := *s
			changed.t = t
			if tc.change != nil {
				tc.change(&changed)
			}
			a := changed.do(tc.method, tc.path, tc.body)
			if a.Status != tc.status || a.Code != tc.code {
				t.Errorf("answered %d, code %d, want %d, %d: %s", a.Status, a.Code, tc.status, tc.code, a.Raw)
			}
		})
	}
}

func TestANonceMakesOneMessage(t *testing.T) {
	s := newStage(t)
	body := object{"content": "a", "nonce": "job-1", "enforce_nonce": true}
	first, second := s.send(body), s.send(body)
	if first.id() == "" || first.id() != second.id() {
		t.Errorf("made %q and %q", first.id(), second.id())
	}
	if free := s.send(object{"content": "a", "nonce": "job-1"}); free.id() == first.id() {
		t.Error("without enforce_nonce the message was not sent")
	}
	s.server.Advance(10 * 60e9)
	if late := s.send(body); late.id() == first.id() {
		t.Error("the nonce was remembered for ten minutes")
	}
}

func TestAnEditKeepsWhatItDoesNotName(t *testing.T) {
	s := newStage(t)
	m := s.send(object{"content": "one", "components": []object{row(button("a"))}})
	path := "/channels/" + s.general.ID + "/messages/" + m.id()
	s.do("PATCH", path, object{"content": "two"})
	got := s.general.Messages()[0]
	if got.Text() != "two" || len(got.Buttons) != 1 || got.Edits != 1 || got.History[0].Text != "one" {
		t.Errorf("message is %+v", got)
	}
	s.do("PATCH", path, object{"components": nil})
	if got := s.general.Messages()[0]; len(got.Buttons) != 0 || got.Content != "two" {
		t.Errorf("message is %+v", got)
	}
	if a := s.do("PATCH", path, object{"content": ""}); a.Code != 50006 {
		t.Errorf("an edit to nothing was answered %d", a.Code)
	}
}

func TestComponentsV2CannotBeTakenBack(t *testing.T) {
	s := newStage(t)
	m := s.send(object{"content": "plain"})
	path := "/channels/" + s.general.ID + "/messages/" + m.id()
	upgrade := object{"flags": v2, "components": []object{textDisplay("rich")}}
	if a := s.do("PATCH", path, upgrade); a.Fields["content"] != "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2" {
		t.Errorf("an upgrade that keeps the content was answered %d %v", a.Status, a.Fields)
	}
	upgrade["content"], upgrade["embeds"] = nil, []object{}
	if a := s.do("PATCH", path, upgrade); a.Status != 200 {
		t.Fatalf("upgrade: %d %s", a.Status, a.Raw)
	}
	if a := s.do("PATCH", path, object{"components": []object{textDisplay("still rich")}}); a.Status != 200 {
		t.Errorf("an edit without flags was answered %d %s", a.Status, a.Raw)
	}
	if a := s.do("PATCH", path, object{"flags": 0, "content": "plain", "components": []object{}}); a.Fields["flags"] != "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG" {
		t.Errorf("a downgrade was answered %d %v", a.Status, a.Fields)
	}
}

func TestOldMessagesTakeFewEdits(t *testing.T) {
	s := newStageWith(t, quickLimits())
	m := s.send(object{"content": "a"})
	s.server.Advance(61 * 60e9)
	path := "/channels/" + s.general.ID + "/messages/" + m.id()
	var last answer
	for i := range 4 {
		last = s.do("PATCH", path, object{"content": strconv.Itoa(i)})
	}
	if last.Status != http.StatusTooManyRequests || last.Code != 30046 || last.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth edit was answered %d, code %d", last.Status, last.Code)
	}
}
