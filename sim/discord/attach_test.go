package discord_test

import (
	"bytes"
	"image"
	"image/png"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"ltxbot/sim/discord"
)

// picture is a PNG of this size.
func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// animate is a command with a picture.
func animate(types ...string) object {
	option := object{"type": 11, "name": "image", "description": "The picture"}
	if types != nil {
		option["file_types"] = types
	}
	return object{"name": "animate", "description": "Make a video", "options": []object{option}}
}

// upload is a form with a place for files.
func upload(more object) object {
	field := object{"type": 19, "custom_id": "image"}
	maps.Copy(field, more)
	return object{"type": 9, "data": object{
		"custom_id": "f", "title": "Change inputs",
		"components": []object{{"type": 18, "label": "Picture", "component": field}},
	}}
}

// listen makes interactions go to an application in HTTP mode, and returns
// what reads the newest one.
func (s *stage) listen() func() map[string]any {
	s.t.Helper()
	got := make(chan map[string]any, 1)
	url := endpoint(s.t, s.server.PublicKey(), true, func(w http.ResponseWriter, i map[string]any) {
		got <- i
		w.WriteHeader(http.StatusAccepted)
	})
	if err := s.server.SetInteractionsURL(s.ctx(), url); err != nil {
		s.t.Fatal(err)
	}
	return func() map[string]any { return <-got }
}

func (s *stage) status(url string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.ctx(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestAnAttachedFileIsResolvedAndLivesForADay(t *testing.T) {
	s := newStage(t)
	s.register(animate())
	events := s.listen()
	if _, err := s.ada.Slash(s.ctx(), s.general, "animate", discord.Arg("image", discord.File{Name: "my cat.png", Data: picture(t, 64, 48)})); err != nil {
		t.Fatal(err)
	}
	data := events()["data"].(map[string]any)
	id := data["options"].([]any)[0].(map[string]any)["value"].(string)
	got := data["resolved"].(map[string]any)["attachments"].(map[string]any)[id].(map[string]any)
	link := got["url"].(string)
	for field, want := range map[string]any{
		"filename": "my_cat.png", "content_type": "image/png", "ephemeral": true, "width": 64.0, "height": 48.0, "id": id,
	} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	if !strings.Contains(link, "/ephemeral-attachments/") || s.status(link) != 200 {
		t.Errorf("%s was answered %d", link, s.status(link))
	}
	s.server.Advance(23 * time.Hour)
	if status := s.status(link); status != 200 {
		t.Errorf("within a day the file was answered %d", status)
	}
	s.server.Advance(time.Hour)
	if status := s.status(link); status != 404 {
		t.Errorf("after a day the file was answered %d", status)
	}
}

func TestAClientRefusesFiles(t *testing.T) {
	const mib = 1 << 20
	for name, tc := range map[string]struct {
		types   []string
		file    string
		bytes   int
		nitro   int
		refused bool
	}{
		"of 10 MiB":                      {nil, "a.png", 10 * mib, 0, false},
		"above 10 MiB":                   {nil, "a.png", 10*mib + 1, 0, true},
		"above 10 MiB, not with Nitro":   {nil, "a.png", 11 * mib, 50 * mib, false},
		"whose name ends as it should":   {[]string{".png"}, "a.PNG", 1, 0, false},
		"whose name ends otherwise":      {[]string{".png"}, "a.jpg", 1, 0, true},
		"of the kind that is asked for":  {[]string{"image"}, "a.webp", 1, 0, false},
		"of another kind than asked for": {[]string{"image", "audio"}, "a.mp4", 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.register(animate(tc.types...))
			s.ada.SetUploadLimit(tc.nitro)
			_, err := s.ada.Slash(s.ctx(), s.general, "animate", discord.Arg("image", discord.File{Name: tc.file, Data: make([]byte, tc.bytes)}))
			if (err != nil) != tc.refused {
				t.Errorf("refused: %v, want %v", err, tc.refused)
			}
		})
	}
}

func TestAFormTakesFiles(t *testing.T) {
	one, two := discord.File{Name: "a.png", Data: picture(t, 2, 2)}, discord.File{Name: "b.png", Data: picture(t, 2, 2)}
	for name, tc := range map[string]struct {
		field   object
		files   any
		values  int
		refused bool
	}{
		"one":                             {object{}, one, 1, false},
		"none where one is required":      {object{}, nil, 0, true},
		"none where that may be":          {object{"required": false}, nil, 0, false},
		"two where one is the most":       {object{}, []discord.File{one, two}, 0, true},
		"two where that may be":           {object{"max_values": 2}, []discord.File{one, two}, 2, false},
		"one where two are the least":     {object{"min_values": 2, "max_values": 2}, one, 0, true},
		"of a kind that is not asked for": {object{"file_types": []string{"video"}}, one, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			i := s.slash()
			if a := s.callback(i, upload(tc.field)); a.Status != 204 {
				t.Fatalf("callback: %d %s", a.Status, a.Raw)
			}
			events := s.listen()
			values := map[string]any{}
			if tc.files != nil {
				values["image"] = tc.files
			}
			_, err := s.ada.SubmitModal(s.ctx(), i, values)
			if (err != nil) != tc.refused {
				t.Fatalf("refused: %v, want %v", err, tc.refused)
			}
			if tc.refused {
				return
			}
			data := events()["data"].(map[string]any)
			field := data["components"].([]any)[0].(map[string]any)["component"].(map[string]any)
			resolved, _ := data["resolved"].(map[string]any)
			attachments, _ := resolved["attachments"].(map[string]any)
			if len(field["values"].([]any)) != tc.values || len(attachments) != tc.values {
				t.Errorf("%v and %v, want %d files", field, attachments, tc.values)
			}
		})
	}
}

func TestDefinitionsOfFilesAreChecked(t *testing.T) {
	s := newStage(t)
	a := s.do("PUT", "/applications/"+s.server.ApplicationID()+"/guilds/"+s.guild.ID+"/commands", []object{animate("png")})
	if a.Fields["0.options.0.file_types.0"] != "BASE_TYPE_CHOICES" {
		t.Errorf("a type without a dot was answered %d %v", a.Status, a.Fields)
	}
	i := s.slash()
	for _, field := range []object{{"min_values": 3, "max_values": 2}, {"max_values": 11}, {"file_types": []string{"png"}}} {
		if a := s.callback(i, upload(field)); a.Status != 400 {
			t.Errorf("%v was answered %d", field, a.Status)
		}
	}
}

func TestAMessageOfAPersonHasFiles(t *testing.T) {
	s := newStage(t)
	s.register(object{"name": "Animate", "type": 3})
	m, err := s.ada.Share(s.general, "look", discord.File{Name: "a.png", Data: picture(t, 4, 2)})
	if err != nil {
		t.Fatal(err)
	}
	events := s.listen()
	if _, err := s.ada.MessageCommand(s.ctx(), m, "Animate"); err != nil {
		t.Fatal(err)
	}
	target := events()["data"].(map[string]any)["resolved"].(map[string]any)["messages"].(map[string]any)[m.ID].(map[string]any)
	file := target["attachments"].([]any)[0].(map[string]any)
	if file["width"] != 4.0 || file["ephemeral"] != nil || !strings.Contains(file["url"].(string), "/attachments/"+s.general.ID+"/") {
		t.Errorf("the file is %v", file)
	}
	s.general.Deny(s.ada, discord.AttachFiles)
	if _, err := s.ada.Share(s.general, "", discord.File{Name: "a.png", Data: []byte("x")}); err == nil {
		t.Error("somebody without the permission attached a file")
	}
}

func TestAddressesOfMessagesAreRenewed(t *testing.T) {
	s := newStage(t)
	m, err := s.ada.Share(s.general, "look", discord.File{Name: "a.png", Data: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	old := m.Attachments[0].URL
	s.server.Advance(25 * time.Hour)
	renew := func(links ...string) answer {
		return s.do("POST", "/attachments/refresh-urls", object{"attachment_urls": links})
	}
	renewed := func(link string) string {
		return renew(link).JSON["refreshed_urls"].([]any)[0].(map[string]any)["refreshed"].(string)
	}
	if now := renewed(old); s.status(old) != 404 || s.status(now) != 200 {
		t.Errorf("%s was answered %d, and renewed as %s %d", old, s.status(old), now, s.status(now))
	}
	s.server.DeleteMessage(m.ID)
	if now := renewed(old); now != old {
		t.Errorf("the address of a deleted file was renewed as %s", now)
	}
	if a := renew(make([]string, 51)...); a.Status != 400 {
		t.Errorf("51 addresses were answered %d", a.Status)
	}
	s.auth = ""
	if a := renew(old); a.Status != 401 {
		t.Errorf("without a token it was answered %d", a.Status)
	}
}
