package slack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ltxbot/sim/slack"
)

// fileForm is a form with a place for pictures.
const fileForm = `{"type":"modal","title":` + plainX + `,"submit":` + plainX + `,"blocks":[{"type":"input","block_id":"image","label":` + plainX +
	`,"element":{"type":"file_input","action_id":"f","filetypes":["png"],"max_files":1}}]}`

func png(name string, size int) slack.FileSpec {
	return slack.FileSpec{Name: name, Content: make([]byte, size)}
}

func TestAFormRefusesFiles(t *testing.T) {
	const limit = 10 << 20
	for name, tc := range map[string]struct {
		files []slack.FileSpec
		want  string
	}{
		"none":                {nil, "is required"},
		"of 10 MB":            {[]slack.FileSpec{png("a.PNG", limit)}, ""},
		"above 10 MB":         {[]slack.FileSpec{png("a.png", limit+1)}, "is larger than 10 MB"},
		"of another type":     {[]slack.FileSpec{png("a.jpg", 1)}, "takes no such type of file"},
		"two where one is ok": {[]slack.FileSpec{png("a.png", 1), png("b.png", 1)}, "has too many files"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, slack.Options{})
			w.dial(answer(nil))
			form := w.open(fileForm)
			ids := []string{}
			for _, spec := range tc.files {
				id := w.addFile(spec)
				ids = append(ids, id)
			}
			_, err := w.ann.SubmitView(t.Context(), form, map[string][]string{"image": ids})
			got := ""
			if problem, ok := errors.AsType[*slack.ActionError](err); ok {
				got = problem.Fields["image"]
			}
			if got != tc.want {
				t.Errorf("the client says %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAFileInputNeedsTheScopeToReadFiles(t *testing.T) {
	w := newWorld(t, slack.Options{})
	w.dial(answer(nil))
	w.ws.SetScopes(without("files:read")...)
	r := w.slash("")
	if got := w.call("views.open", "trigger_id", r.TriggerID, "view", fileForm); got.str("error") != "missing_scope" || got.str("needed") != "files:read" {
		t.Errorf("answered %v", got)
	}
}

// What the app may see of a person's file is decided by where it is.
func TestTheAppReadsFilesWhereItIs(t *testing.T) {
	w := newTown(t, slack.Options{})
	share := func(c *slack.Channel) slack.File {
		t.Helper()
		m := w.share(c, "", "", slack.FileSpec{Name: "fox.png", Content: []byte("png")})
		return m.Files[0]
	}
	here, elsewhere, gone, left := share(w.general), share(w.outside), share(w.general), share(w.general)
	private := w.addFile(slack.FileSpec{Name: "fox.png", Content: []byte("png")})
	w.must(w.ann.DeleteFile(gone.ID))
	info := func(id string) string {
		got := w.call("files.info", "file", id)
		return strings.TrimSpace(fmt.Sprint(got["ok"], " ", got.str("error")))
	}
	for id, want := range map[string]string{
		here.ID: "true", elsewhere.ID: "false file_not_found", gone.ID: "false file_deleted", private: "false file_not_found",
	} {
		if got := info(id); got != want {
			t.Errorf("files.info of %s says %s, want %s", id, got, want)
		}
	}
	file, _ := w.call("files.info", "file", here.ID)["file"].(map[string]any)
	for _, field := range []string{"url_private", "url_private_download"} {
		link, _ := file[field].(string)
		if body, final := w.download(link, w.ws.BotToken()); body != "png" {
			t.Errorf("%s gave %q at %s", field, body, final)
		}
	}
	page := func(f slack.File, token string) bool {
		body, final := w.download(f.URL, token)
		return strings.Contains(body, "<html>") && strings.Contains(final, "/signin")
	}
	if !page(here, "xoxb-no") || !page(here, "") || !page(elsewhere, w.ws.BotToken()) || !page(gone, w.ws.BotToken()) {
		t.Error("the app was sent something else than the page to sign in")
	}
	w.general.Remove(w.ws.Bot())
	if !page(left, w.ws.BotToken()) || info(left.ID) != "false file_not_found" {
		t.Error("the app that left the channel still reads its files")
	}
}

func TestEventsOfMessagesCarryTheirFiles(t *testing.T) {
	w := newTown(t, slack.Options{App: slack.App{Shortcuts: []slack.Shortcut{{CallbackID: "make", Message: true}}}})
	got := make(chan []any, 10)
	w.dial(func(f frame) (any, bool) {
		event, _ := f.Payload["event"].(map[string]any)
		if event["type"] == "file_shared" {
			return nil, true
		}
		if event == nil {
			event, _ = f.Payload["message"].(map[string]any)
		}
		files, _ := event["files"].([]any)
		got <- files
		return nil, true
	})
	next := func() map[string]any {
		files := <-got
		if len(files) != 1 {
			t.Fatalf("%d files", len(files))
		}
		return files[0].(map[string]any)
	}
	m := w.share(w.general, "<@"+w.ws.Bot().ID()+"> animate this", "", png("a.png", 3))
	if f := next(); f["mimetype"] != "image/png" || f["mode"] != "hosted" || f["url_private"] == nil {
		t.Errorf("app_mention has %v", f)
	}
	w.share(w.dm, "", "", slack.FileSpec{Name: "a.mp4", External: "https://drive.google.com/file/d/1"})
	if f := next(); f["mode"] != "external" || f["url_private"] != "https://drive.google.com/file/d/1" || f["url_private_download"] != nil {
		t.Errorf("message.im has %v", f)
	}
	w.must(w.ann.DeleteFile(m.Files[0].ID))
	w.shortcut(m, "make")
	if f := next(); f["mode"] != "tombstone" || f["url_private"] != nil {
		t.Errorf("the shortcut has %v", f)
	}
}

// Of a file of another organisation an event tells no more than the id.
func TestAFileFromAnotherOrganisationHasToBeAskedFor(t *testing.T) {
	w := newWorld(t, slack.Options{App: slack.App{Shortcuts: []slack.Shortcut{{CallbackID: "make", Message: true}}}})
	beta := w.AddWorkspace(slack.WorkspaceSpec{Domain: "beta", NotInstalled: true})
	bob := beta.AddUser(slack.UserSpec{Name: "bob"})
	both := w.ws.AddChannel(slack.ChannelSpec{Name: "both", Members: []*slack.User{w.ann, bob, w.ws.Bot()}, Shared: []*slack.Workspace{beta}})
	got := make(chan map[string]any, 1)
	w.dial(func(f frame) (any, bool) {
		message, _ := f.Payload["message"].(map[string]any)
		got <- message["files"].([]any)[0].(map[string]any)
		return nil, true
	})
	m, err := bob.Share(both, "", "", png("a.png", 3))
	if err != nil {
		t.Fatal(err)
	}
	w.shortcut(m, "make")
	if f := <-got; f["file_access"] != "check_file_info" || f["mimetype"] != nil {
		t.Errorf("the shortcut has %v", f)
	}
	file, _ := w.call("files.info", "file", m.Files[0].ID)["file"].(map[string]any)
	link, _ := file["url_private"].(string)
	if _, final := w.download(link, w.ws.BotToken()); file["mimetype"] != "image/png" || strings.Contains(final, "signin") {
		t.Errorf("files.info has %v", file)
	}
}
