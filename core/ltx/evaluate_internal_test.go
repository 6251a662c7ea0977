package ltx

import "testing"

// TestADefaultIsWhatItsTextMeans holds the defaults, which are not read, against
// what reading them gives.
func TestADefaultIsWhatItsTextMeans(t *testing.T) {
	tried := 0
	for _, id := range append([]string{""}, EndpointIDs()...) {
		at := endpoints[id]
		for _, p := range table {
			if p = at.row(p); !at.takes(p.id()) || p.Default == nil || p.Default == (unset{}) {
				continue
			}
			e := Rules{}.begin(at, nil, 1)
			if got, want := e.worth(p, nil), e.value(p, p.defaultText()); !sameValue(got, want) || len(e.problems) > 0 {
				t.Errorf("%s: the default of %s is %v, want %v (%v)", id, p.Key(), got, want, e.problems)
			}
			tried++
		}
	}
	if tried == 0 {
		t.Error("there are no defaults")
	}
}
