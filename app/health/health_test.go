package health_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/app/health"
	"ltxbot/core/generate"
)

// is a probe that always sees the same.
func is(name string, need health.Need, s health.State) health.Probe {
	return health.Probe{Name: name, Need: need, Look: func(context.Context) (health.State, string) { return s, "" }}
}

func TestReadinessFollowsTheNeedOfEachPart(t *testing.T) {
	for _, c := range []struct {
		name  string
		phase health.State
		parts []health.Probe
		want  bool
	}{
		{"all is well", health.OK, []health.Probe{is("store", health.Always, health.OK), is("discord", health.OneOf, health.OK)}, true},
		{"a bot that starts is not ready", health.Starting, []health.Probe{is("store", health.Always, health.OK)}, false},
		{"a bot that stops is not ready", health.Stopping, []health.Probe{is("store", health.Always, health.OK)}, false},
		{"no bot is ready without its store", health.OK, []health.Probe{is("store", health.Always, health.Down)}, false},
		{"a part that starts is not there yet", health.OK, []health.Probe{is("engine", health.Always, health.Starting)}, false},
		{"one platform of two is enough", health.OK, []health.Probe{is("discord", health.OneOf, health.Down), is("slack", health.OneOf, health.OK)}, true},
		{"a process that waits to take over is ready", health.OK, []health.Probe{is("discord", health.OneOf, health.Standby)}, true},
		{"no platform of two is not", health.OK, []health.Probe{is("discord", health.OneOf, health.Down), is("slack", health.OneOf, health.Down)}, false},
		{"a refused key changes nothing: people must still be told", health.OK, []health.Probe{is("fal", health.Told, health.Down)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := health.New("1.2.3")
			for _, p := range c.parts {
				m.Add(p)
			}
			m.Enter(c.phase)
			w := httptest.NewRecorder()
			m.Ready(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
			var got health.Report
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Ready != c.want {
				t.Errorf("ready = %v, want %v: %s", got.Ready, c.want, w.Body)
			}
			if status := map[bool]int{true: 200, false: 503}[c.want]; w.Code != status {
				t.Errorf("status = %d, want %d", w.Code, status)
			}
			if len(got.Parts) != len(c.parts)+1 || got.Parts[0].State != c.phase {
				t.Errorf("parts = %v, want the process and %d others", got.Parts, len(c.parts))
			}
		})
	}
}

func TestAProcessLivesWhateverItsParts(t *testing.T) {
	m := health.New("1.2.3")
	m.Add(is("store", health.Always, health.Down))
	w := httptest.NewRecorder()
	m.Live(w, nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"version":"1.2.3"`) {
		t.Errorf("got %d %s, want 200 with the version", w.Code, w.Body)
	}
}

func TestPartsAreNotAskedMoreOftenThanTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		m := health.New("")
		m.Add(health.Probe{Name: "store", Need: health.Always, Look: func(context.Context) (health.State, string) {
			looks++
			return health.OK, ""
		}})
		m.Enter(health.OK)
		for range 100 {
			m.Report(t.Context())
		}
		if looks != 1 {
			t.Errorf("100 questions at once are %d looks, want 1", looks)
		}
		<-time.After(time.Second)
		if m.Report(t.Context()); looks != 2 {
			t.Errorf("a second later there are %d looks, want 2", looks)
		}
		m.Enter(health.Stopping)
		if m.Report(t.Context()).Ready {
			t.Error("a bot that stops is told to be ready out of memory")
		}
	})
}

func TestKeyIsWhatTheLastAnswerSaid(t *testing.T) {
	account := string(generate.FailAccount)
	for _, c := range []struct {
		name  string
		calls [][2]string
		want  health.State
	}{
		{"nothing was seen yet", nil, health.Unknown},
		{"an answer proves the key", [][2]string{{"submit", "ok"}}, health.OK},
		{"a refusal of the prompt does as well", [][2]string{{"result", string(generate.FailRefused)}}, health.OK},
		{"a refused account is seen", [][2]string{{"status", "ok"}, {"submit", account}}, health.Down},
		{"a key that works again is seen", [][2]string{{"submit", account}, {"submit", "ok"}}, health.OK},
		{"a network that fails says nothing", [][2]string{{"submit", account}, {"status", "network"}}, health.Down},
		{"a download shows no key", [][2]string{{"submit", account}, {"open", "ok"}}, health.Down},
	} {
		t.Run(c.name, func(t *testing.T) {
			var k health.Key
			for _, call := range c.calls {
				k.Call(call[0], call[1])
			}
			if got, detail := k.Look(t.Context()); got != c.want {
				t.Errorf("state = %s (%s), want %s", got, detail, c.want)
			}
		})
	}
}
