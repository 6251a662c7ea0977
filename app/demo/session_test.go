package demo_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"ltxbot/app/demo"
)

// talk has a conversation at the terminal, and returns what was seen of it:
// the events of each line.
func talk(t *testing.T, on string, lines ...string) [][]demo.Event {
	t.Helper()
	d, err := demo.Start(t.Context(), demo.Options{Dir: t.TempDir(), Page: true, Speed: 4, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	ctx, cancel := context.WithTimeout(t.Context(), worldLimit)
	defer cancel()
	var mu sync.Mutex
	var seen []demo.Event
	s, err := d.Session(ctx, on, func(e demo.Event) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, e)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all [][]demo.Event
	for _, line := range lines {
		label, presses := strings.CutPrefix(line, "press ")
		switch {
		case presses:
			err = s.Press(ctx, label)
		case line == "attach":
			s.Attach(demo.File{Name: "lake.png", Data: demo.SamplePicture()})
		default:
			err = s.Say(ctx, line)
		}
		if err == nil {
			err = s.Wait(ctx)
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		mu.Lock()
		all = append(all, seen)
		seen = nil
		mu.Unlock()
	}
	return all
}

func TestATakeIsDeletedAtTheTerminal(t *testing.T) {
	t.Parallel()
	for _, on := range []string{"slack", "discord"} {
		prompt := map[string]string{"slack": "/ltx a cat count:2", "discord": "/ltx prompt:a cat count:2"}[on]
		said := talk(t, on, prompt, "press Take 1", "press Delete")
		last := said[len(said)-1]
		if !strings.Contains(texts(last), "The video is deleted.") {
			t.Errorf("on %s is seen\n%s", on, texts(last))
		}
	}
}

func texts(events []demo.Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(string(e.Kind) + ": " + e.Text + "\n")
	}
	return b.String()
}

// The clock goes on below an old answer, which is not news.
func TestOldAnswersAreNotToldAgain(t *testing.T) {
	t.Parallel()
	told := map[string]int{}
	for _, events := range talk(t, "slack", "/ltx a cat", "/ltx jobs", "/ltx a dog") {
		for _, e := range events {
			if e.Only != "" {
				told[e.Message]++
			}
		}
	}
	if len(told) != 1 {
		t.Errorf("there are %d private answers, want the list of jobs", len(told))
	}
	for _, n := range told {
		if n != 1 {
			t.Errorf("an answer is told %d times", n)
		}
	}
}

func TestAFormAtTheTerminalSaysThePriceAndWhatIsRequired(t *testing.T) {
	t.Parallel()
	for on, prompt := range map[string]string{"slack": "/ltx a cat", "discord": "/ltx prompt:a cat"} {
		said := talk(t, on, prompt, "press Another shape")
		form := texts(said[len(said)-1])
		for _, want := range []string{"form: Another shape\n", "$", "Lightricks", "\nSize *:"} {
			if !strings.Contains(form, want) {
				t.Errorf("on %s the form lacks %q:\n%s", on, want, form)
			}
		}
	}
}

func TestDetailsNameAPictureOnce(t *testing.T) {
	t.Parallel()
	for on, prompt := range map[string]string{"slack": "/ltx the sun sets", "discord": "/ltx prompt:the sun sets"} {
		said := talk(t, on, "attach", prompt, "press Details")
		details := texts(said[len(said)-1])
		if n := strings.Count(details, "First picture"); n != 1 || !strings.Contains(details, "First picture: ") {
			t.Errorf("on %s the picture is named %d times:\n%s", on, n, details)
		}
	}
}
