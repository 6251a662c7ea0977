package fal_test

import (
	"net/http"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

const adminKey = "11111111-admin-admin-admin-111111111111:fedcba9876543210fedcba9876543210"

func TestWhatIsErasedIsErasedAtFal(t *testing.T) {
	w := newWorld(t, sim.Options{AdminKey: adminKey}, func(c *fal.Config) { c.AdminKey = adminKey })
	s := w.submit(t, prompt)
	w.await(t, s)
	r, err := w.Result(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Inject(sim.Fault{Op: sim.OpPurge, Status: http.StatusBadGateway})
	for range 2 { // again is as good as once
		if err := w.Purge(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := w.Open(t.Context(), r.Output.URL, 0); err == nil {
		_ = m.Body.Close()
		t.Error("the video is still there")
	}
	if _, err := w.Result(t.Context(), s); err == nil {
		t.Error("the result is still there")
	}
	if w.lastSeen() == "" || !w.Purges() {
		t.Error("it is not observed, or not told that it can be done")
	}
}

func TestWithoutAnAdminKeyNothingIsErasedAtFal(t *testing.T) {
	w := newWorld(t, sim.Options{AdminKey: adminKey})
	s := w.submit(t, prompt)
	if err := w.Purge(t.Context(), s); err == nil || w.Purges() || w.sim.Count(sim.OpPurge) > 0 {
		t.Errorf("%v after %d calls", err, w.sim.Count(sim.OpPurge))
	}
	wrong := newWorld(t, sim.Options{}, func(c *fal.Config) { c.AdminKey = "no:admin" })
	s = wrong.submit(t, prompt)
	wrong.await(t, s)
	wrong.assertError(t, wrong.Purge(t.Context(), s))
	for _, id := range []string{"", "../x", "a/b"} {
		if err := wrong.Purge(t.Context(), generate.Submission{RequestID: id}); err == nil {
			t.Errorf("%q is purged", id)
		}
	}
}
