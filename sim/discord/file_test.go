package discord_test

import (
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"ltxbot/sim/discord"
)

func clip(index, name string, size int) part {
	return part{field: "files[" + index + "]", name: name, kind: "video/mp4", data: make([]byte, size)}
}

func TestUploadsAreLimitedByAttachment(t *testing.T) {
	const mib = 1 << 20
	for name, tc := range map[string]struct {
		tier    int
		nitro   int
		webhook bool
		sizes   []int
		status  int
	}{
		"10 MiB from the bot":                   {0, 0, false, []int{10 * mib}, 200},
		"two files of 6 MiB":                    {0, 0, false, []int{6 * mib, 6 * mib}, 200},
		"a byte more":                           {0, 0, false, []int{10*mib + 1}, 413},
		"11 MiB in a guild of tier 2":           {2, 0, false, []int{11 * mib}, 200},
		"51 MiB in a guild of tier 2":           {2, 0, false, []int{51 * mib}, 413},
		"51 MiB in a guild of tier 3":           {3, 0, false, []int{51 * mib}, 200},
		"11 MiB for a person with Nitro":        {0, 50 * mib, true, []int{11 * mib}, 200},
		"the bot has not got the person's":      {0, 50 * mib, false, []int{11 * mib}, 413},
		"11 MiB by webhook without any of that": {0, 0, true, []int{11 * mib}, 413},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.guild.SetTier(tc.tier)
			s.ada.SetUploadLimit(tc.nitro)
			parts := make([]part, 0, len(tc.sizes))
			for i, n := range tc.sizes {
				parts = append(parts, clip(string(rune('0'+i)), "a.mp4", n))
			}
			var a answer
			if tc.webhook {
				i := s.slash()
				s.ack(i)
				a = s.do("POST", s.hook(i, ""), object{"content": "a"}, parts...)
			} else {
				a = s.send(object{"content": "a"}, parts...)
			}
			if a.Status != tc.status || (tc.status == 413 && a.Code != 40005) {
				t.Errorf("answered %d, code %d, want %d", a.Status, a.Code, tc.status)
			}
		})
	}
}

func TestAnAttachmentIsServedUntilItsURLExpires(t *testing.T) {
	s := newStage(t)
	s.send(object{
		"flags": v2, "attachments": []object{{"id": "0", "filename": "my video.mp4", "description": "a cowboy"}},
		"components": []object{{"type": 12, "items": []object{{"media": object{"url": "attachment://my_video.mp4"}}}}},
	}, part{field: "files[0]", name: "x.bin", data: []byte("bytes")}, part{field: "files[1]", name: "hidden.txt", data: []byte("x")})
	m := s.general.Messages()[0]
	if len(m.Attachments) != 2 {
		t.Fatalf("message is %+v", m)
	}
	a := m.Attachments[0]
	if a.Name != "my_video.mp4" || a.Description != "a cowboy" || !a.Shown || a.ContentType != "video/mp4" {
		t.Errorf("attachment is %+v", a)
	}
	if m.Attachments[1].Shown {
		t.Error("a file that no component refers to is shown")
	}
	get := func(url string) (int, string) {
		req, err := http.NewRequestWithContext(s.ctx(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", "bytes=1-2")
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(raw)
	}
	if status, body := get(a.URL); status != 206 || body != "yt" {
		t.Errorf("a range was answered %d %q", status, body)
	}
	if status, _ := get(a.URL + "0"); status != 404 {
		t.Errorf("a forged signature was answered %d", status)
	}
	if path, ok := s.server.AttachmentPath(a.ID); !ok {
		t.Error("the bytes are not on disk")
	} else if raw, err := os.ReadFile(path); err != nil || string(raw) != "bytes" {
		t.Errorf("on disk are %q, %v", raw, err)
	}
	s.server.Advance(25 * time.Hour)
	if status, _ := get(a.URL); status != 404 {
		t.Errorf("after a day the URL was answered %d", status)
	}
}

func TestEditsListTheirAttachments(t *testing.T) {
	s := newStage(t)
	s.send(object{"content": "a"}, clip("0", "one.mp4", 1))
	m := s.general.Messages()[0]
	path := "/channels/" + s.general.ID + "/messages/" + m.ID
	keep := object{"id": m.Attachments[0].ID}
	if a := s.do("PATCH", path, object{"attachments": []object{keep}}, clip("0", "two.mp4", 1)); a.Fields["attachments"] != "ATTACHMENT_NOT_LISTED" {
		t.Errorf("a file that is not listed was answered %d %v", a.Status, a.Fields)
	}
	s.do("PATCH", path, object{"attachments": []object{keep, {"id": "0"}}}, clip("0", "two.mp4", 1))
	if got := s.general.Messages()[0].Attachments; len(got) != 2 {
		t.Errorf("attachments are %+v", got)
	}
	s.do("PATCH", path, object{"attachments": []object{}})
	if got := s.general.Messages()[0].Attachments; len(got) != 0 {
		t.Errorf("attachments are %+v", got)
	}
	if a := s.send(object{"content": "a"}, part{field: "upload", name: "a.mp4"}); a.Fields["upload"] != "SIM_UNKNOWN_PART" {
		t.Errorf("an unknown part was answered %d %v", a.Status, a.Fields)
	}
	if a := s.send(object{"content": "a"}, part{field: "files[10]", name: "a.mp4"}); a.Fields["files"] != "BASE_TYPE_MAX_LENGTH" {
		t.Errorf("an eleventh file was answered %d %v", a.Status, a.Fields)
	}
}

func TestACallbackMayCarryAFile(t *testing.T) {
	s := newStage(t)
	i := s.slash()
	if a := s.callback(i, object{"type": 4, "data": object{"content": "a", "attachments": []object{{"id": 0, "description": "alt"}}}}, clip("0", "a.mp4", 3)); a.Status != 204 {
		t.Fatalf("answered %d %s", a.Status, a.Raw)
	}
	if m, _ := i.Response(); len(m.Attachments) != 1 || m.Attachments[0].Description != "alt" {
		t.Errorf("response is %+v", m)
	}
}

func TestRefusedUploadsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	s := newStageWith(t, discord.Options{Dir: dir})
	s.send(object{"content": chars(2001)}, clip("0", "a.mp4", 10))
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
