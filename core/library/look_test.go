package library_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/library"
	"ltxbot/core/team"
)

// TestTheFileOfALinkIsLookedAt whoever brings it: what can't be loaded is not kept.
func TestTheFileOfALinkIsLookedAt(t *testing.T) {
	found := map[string]library.Finding{
		"owner/good":   {BaseModel: "LTX-2.3", Trigger: "ohwx"},
		"owner/wan":    {Warnings: []library.Warning{{Kind: library.OtherModel, Value: "Wan"}}},
		"owner/pickle": {Warnings: []library.Warning{{Kind: library.Pickle}}},
	}
	broken := errors.New("disk on fire")
	for _, tt := range []struct {
		name, order string
		err         error
		asked       string
		path        string // of clay afterwards
		trigger     string
		warning     library.WarningKind // in the report, or why it is refused
		unseen      bool
	}{
		{"a good one", "add clay owner/good", nil, "owner/good", "owner/good", "ohwx", "", false},
		{"with words of its own", "add clay owner/good trigger:zxcv", nil, "owner/good", "owner/good", "zxcv", "", false},
		{"that is to have no words", "add clay owner/good trigger:none", nil, "owner/good", "owner/good", "", "", false},
		{"of another model", "add clay owner/wan", nil, "owner/wan", "owner/wan", "", library.OtherModel, false},
		{"a pickle", "add clay owner/pickle", nil, "owner/pickle", "", "", library.Pickle, false},
		{"another link", "edit film link:owner/good", nil, "owner/good", "", "", "", false},
		{"another link, to a pickle", "edit film link:owner/pickle", nil, "owner/pickle", "", "", library.Pickle, false},
		{"the same link", "edit film link:owner/film note:x", nil, "", "", "", "", false},
		{"no link", "edit film note:x", nil, "", "", "", "", false},
		{"a name that is taken", "add film owner/good", nil, "", "", "", "", false},
		{"a style", "style-add noir camera:static", nil, "", "", "", "", false},
		{"where nobody may look", "add clay owner/good", library.ErrOff, "owner/good", "owner/good", "", "", false},
		{"on a host that is down", "add clay owner/good", library.ErrUnreachable, "owner/good", "owner/good", "", "", true},
		{"that can't be looked at", "add clay owner/good", broken, "owner/good", "owner/good", "", "", true},
	} {
		for _, actor := range []team.Actor{operator(), admin()} {
			o := newOffice(t)
			o.must(t, actor, "add film owner/film")
			o.files.found, o.files.err, o.files.asked = found, tt.err, nil
			r, err := o.as(t, actor, tt.order)
			var why library.WarningKind
			if unusable, ok := errors.AsType[*library.UnusableError](err); ok {
				why = unusable.Finding.Warnings[0].Kind
			}
			if f := r.Finding; f != nil && len(f.Warnings) > 0 {
				why = f.Warnings[0].Kind
			}
			if asked := strings.Join(o.files.asked, " "); asked != tt.asked || why != tt.warning || r.Unseen != tt.unseen {
				t.Errorf("%s: asked for %q, found %q, unseen %t, %v", tt.name, asked, why, r.Unseen, err)
			}
			if e, _ := o.Of("acme").LoRA("clay"); e.Path != tt.path || e.Trigger != tt.trigger {
				t.Errorf("%s: kept %q with %q", tt.name, e.Path, e.Trigger)
			}
			if e, _ := o.Of("acme").LoRA("film"); e.Path == "owner/pickle" {
				t.Errorf("%s: film is a pickle now", tt.name)
			}
		}
	}
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Do(ctx, admin(), team.Order{Verb: "add", Args: map[string]string{"name": "clay", "link": "owner/good"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("who asked is gone: %v", err)
	}
}

// TestAnOrderMayLimitTheLook: when the time is over, the LoRA is kept, and the
// report says that nobody has looked.
func TestAnOrderMayLimitTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.files.hold = true
		order := team.Order{Verb: "add", Args: map[string]string{"name": "clay", "link": "owner/good"}, LookFor: time.Minute}
		begun := time.Now()
		r, err := o.Do(t.Context(), admin(), order)
		if took := time.Since(begun); err != nil || !r.Unseen || took != time.Minute {
			t.Errorf("after %s: unseen %t, %v", took, r.Unseen, err)
		}
		if e, ok := o.Of("acme").LoRA("clay"); !ok || e.Path != "owner/good" {
			t.Errorf("kept %+v", e)
		}
	})
}
