package store_test

import (
	"strconv"
	"testing"
	"time"
)

func (w *world) session(owner, id string) string {
	w.t.Helper()
	value, err := w.Session(w.t.Context(), owner, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(value)
}

func (w *world) putSession(owner, id string, life time.Duration) {
	w.t.Helper()
	if err := w.PutSession(w.t.Context(), owner, id, []byte(id), w.clock.Now().Add(life), 3); err != nil {
		w.t.Fatal(err)
	}
}

func TestASessionIsSeenByEveryProcessUntilItExpires(t *testing.T) {
	w := newWorld(t)
	w.putSession("discord:1", "a", time.Hour)
	other := w.open()
	defer other.Close()
	if value, err := other.Session(t.Context(), "discord:1", "a"); err != nil || string(value) != "a" {
		t.Errorf("another process reads %q, %v", value, err)
	}
	for owner, id := range map[string]string{"discord:1": "b", "discord:2": "a", "discord": "1/a"} {
		if got := w.session(owner, id); got != "" {
			t.Errorf("the session %s of %s is %q, want none", id, owner, got)
		}
	}
	w.clock.Advance(time.Hour)
	if got := w.session("discord:1", "a"); got != "" {
		t.Errorf("an hour later it is %q, want none", got)
	}
}

func TestTheOldestSessionsOfAnOwnerMakeRoom(t *testing.T) {
	w := newWorld(t)
	w.putSession("discord:2", "other", time.Hour)
	for i := range 5 {
		w.putSession("discord:1", strconv.Itoa(i), time.Hour)
		w.clock.Advance(time.Second)
	}
	for i := range 5 {
		if got := w.session("discord:1", strconv.Itoa(i)) != ""; got != (i >= 2) {
			t.Errorf("the session %d is there: %t, want the newest three", i, got)
		}
	}
	if w.session("discord:2", "other") == "" {
		t.Error("the session of another owner has ended")
	}
}

func TestSessionsEndOneByOneOrTogether(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "b", "c"} {
		w.putSession("discord:1", id, time.Hour)
	}
	w.putSession("discord:12", "d", time.Hour)
	if err := w.EndSession(t.Context(), "discord:1", "a"); err != nil {
		t.Fatal(err)
	}
	if w.session("discord:1", "a") != "" || w.session("discord:1", "b") == "" {
		t.Error("not the one session has ended")
	}
	if err := w.EndSession(t.Context(), "discord:1", ""); err != nil {
		t.Fatal(err)
	}
	if w.session("discord:1", "b")+w.session("discord:1", "c") != "" {
		t.Error("not all sessions have ended")
	}
	if w.session("discord:12", "d") == "" {
		t.Error("the session of another owner has ended")
	}
}

func TestASweepRemovesSessionsThatAreOver(t *testing.T) {
	w := newWorld(t)
	w.putSession("discord:1", "short", time.Minute)
	w.putSession("discord:1", "long", 3*time.Hour)
	w.clock.Advance(2 * time.Minute)
	if _, err := w.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var keys []string
	if err := w.Export(t.Context(), func(key string, _ []byte) error {
		if len(key) > 8 && key[:8] == "session/" {
			keys = append(keys, key)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(keys) != 1 || keys[0] != "session/discord:1/long" {
		t.Errorf("kept %v, want the one that is not over", keys)
	}
}
