package bot

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// Bounds of what is remembered for suggestions.
const (
	rememberedMembers = 2000
	rememberedJobs    = 25
	maxSuggestions    = 25
	// maxSuggestion is the longest value and label of a suggestion.
	// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
	maxSuggestion = 100
)

// recent remembers the last jobs of the members who asked last: suggestions
// must come within moments. It is read again from the store after a restart.
type recent struct {
	mu      sync.Mutex
	members map[string]*memberJobs // by team and member
	tick    int64
}

type memberJobs struct {
	jobs []generate.Job // newest first
	read bool           // from the store
	used int64          // when it was last needed
}

func newRecent() *recent { return &recent{members: map[string]*memberJobs{}} }

func memberKey(team, member string) string { return team + "\x00" + member }

// of is what is remembered of a member. The caller holds mu.
func (r *recent) of(team, member string) *memberJobs {
	key := memberKey(team, member)
	m := r.members[key]
	if m == nil {
		if len(r.members) >= rememberedMembers {
			r.evict()
		}
		m = &memberJobs{}
		r.members[key] = m
	}
	r.tick++
	m.used = r.tick
	return m
}

// evict drops the member who was needed longest ago. The caller holds mu.
func (r *recent) evict() {
	oldest := ""
	for key, m := range r.members {
		if oldest == "" || m.used < r.members[oldest].used {
			oldest = key
		}
	}
	delete(r.members, oldest)
}

// add remembers a job of its member.
func (r *recent) add(j generate.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.of(j.Team, j.Member)
	m.jobs = slices.DeleteFunc(m.jobs, func(old generate.Job) bool { return old.ID == j.ID })
	at := slices.IndexFunc(m.jobs, func(old generate.Job) bool { return old.Created.Before(j.Created) })
	if at < 0 {
		at = len(m.jobs)
	}
	m.jobs = slices.Insert(m.jobs, at, j)
	m.jobs = m.jobs[:min(len(m.jobs), rememberedJobs)]
}

// complete says that all recent jobs of a member were added.
func (r *recent) complete(c Caller) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(c.Team, c.Member).read = true
}

// jobs are the remembered jobs of a caller, newest first.
func (r *recent) jobs(c Caller) []generate.Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.of(c.Team, c.Member).jobs)
}

// begin reports, once, that the jobs of a caller must be read.
func (r *recent) begin(c Caller) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.of(c.Team, c.Member)
	first := !m.read
	m.read = true
	return first
}

// failed says that reading did not succeed.
func (r *recent) failed(c Caller) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(c.Team, c.Member).read = false
}

// loras are the LoRAs that a caller used and that are wanted, the last first.
func (r *recent) loras(c Caller, want func(ltx.LoRA) bool) []ltx.LoRA {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []ltx.LoRA
	jobs := r.of(c.Team, c.Member).jobs
	for i := range jobs {
		for _, l := range jobs[i].Request.LoRAs() {
			if want(l) {
				out = append(out, l)
			}
		}
	}
	return out
}

// recall reads the caller's jobs in the background, unless that was done.
func (svc *Service) recall(c Caller) {
	if svc.cfg.Generator == nil || !svc.recent.begin(c) {
		return
	}
	svc.reads.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), readLimit)
		defer cancel()
		if _, err := svc.ownJobs(ctx, c); err != nil {
			svc.recent.failed(c)
			svc.log.Warn("cannot read recent jobs for suggestions", "member", c.Member, "error", err)
		}
	})
}

// What is completed that is no option of a video.
const (
	SuggestLoRA  = "lora name"  // of the team's library
	SuggestStyle = "style name" // of the team's library
)

// shelf is the library of the caller's team, from memory.
func (svc *Service) shelf(c Caller) *library.Snapshot {
	if svc.cfg.Library == nil || c.Outsider {
		return &library.Snapshot{}
	}
	return svc.cfg.Library.Of(c.Team)
}

// Suggest completes what is being typed for an option, for a job where option
// is "job", or for the limit of an order where it is "limit": at most 25, the best first. It answers from memory.
func (svc *Service) Suggest(c Caller, option, typed string) []view.Choice {
	c = svc.knownSoon(c)
	svc.recall(c)
	v := svc.Printer(c.Locale)
	var all []view.Choice
	p, ok := ltx.Lookup(option)
	switch {
	case option == "job" || option == "id":
		for _, j := range svc.recent.jobs(c) {
			all = append(all, view.Choice{Value: j.ID, Label: j.ID + " · " + view.JobState(v, j) + " · " + text.OneLine(j.Request.Prompt())})
		}
	case option == "limit":
		return suggestLimits(typed)
	case option == SuggestLoRA:
		found, _ := svc.shelf(c).Find(typed, maxSuggestions)
		for _, e := range found {
			all = append(all, view.Choice{Value: e.Name, Label: view.LoRAChoice(e)})
		}
		return fit(all)
	case option == SuggestStyle || ok && p.Kind == ltx.KindStyle:
		for _, s := range svc.shelf(c).Styles() {
			all = append(all, view.Choice{Value: s.Name, Label: view.StyleChoice(s)})
		}
		return fit(rank(all, typed))
	case !ok:
		return nil
	case p.Kind == ltx.KindLoRAs:
		return svc.suggestLoRAs(c, typed)
	case p.Kind == ltx.KindBool:
		all = []view.Choice{{Value: "yes", Label: v.Text("form.yes")}, {Value: "no", Label: v.Text("form.no")}}
	case p.Kind == ltx.KindDuration:
		p, _ = svc.rules(c).Offered(p)
		for _, s := range usualSeconds {
			if s < p.Min || s > p.Max {
				continue
			}
			all = append(all, view.Choice{Value: text.NumberTyped(s), Label: v.Duration(time.Duration(s * float64(time.Second)))})
		}
	default:
		rules := svc.rules(c)
		p, _ = rules.Offered(p)
		all = view.Choices(v, p, rules.QualityNames())
		if p.Kind == ltx.KindSize {
			for _, r := range usualRatios {
				all = append(all, view.Choice{Value: r, Label: r})
			}
		}
	}
	ranked := rank(all, typed)
	if typed = strings.TrimSpace(typed); ok && len(ranked) == 0 && typed != "" && p.Check(typed) == nil {
		ranked = []view.Choice{{Value: typed, Label: typed}}
	}
	return fit(ranked)
}

// What people ask for that is no choice of the table.
var (
	usualSeconds = []float64{3, 5, 8, 10, 15, 20}
	usualRatios  = []string{"21:9", "3:2", "2:3", "4:5"}
)

// suggestLoRAs completes the last of a list of LoRAs: names of the team's
// library, then what the caller used before, without what may be secret.
func (svc *Service) suggestLoRAs(c Caller, typed string) []view.Choice {
	before, last := "", typed
	if i := strings.LastIndexByte(typed, ','); i >= 0 {
		before, last = strings.TrimSpace(typed[:i])+",", typed[i+1:]
	}
	name, scale, scaled := strings.Cut(strings.TrimSpace(last), "@")
	var ranked []view.Choice
	found, _ := svc.shelf(c).Find(name, maxSuggestions)
	for _, e := range found {
		value, label := before+e.Name, before+view.LoRAChoice(e)
		if scaled {
			value += "@" + scale
			label = value
		}
		ranked = append(ranked, view.Choice{Value: value, Label: label})
	}
	var used []view.Choice
	for _, l := range svc.recent.loras(c, func(l ltx.LoRA) bool { return l.Name == "" }) {
		path, _, _ := strings.Cut(l.Path, "?")
		if choice := (view.Choice{Value: before + path, Label: before + path}); !slices.Contains(used, choice) {
			used = append(used, choice)
		}
	}
	ranked = append(ranked, rank(used, before+strings.TrimSpace(last))...)
	if typed = strings.TrimSpace(typed); typed != "" && !slices.ContainsFunc(ranked, func(c view.Choice) bool { return c.Value == typed }) {
		ranked = append([]view.Choice{{Value: typed, Label: command.HideQueries(typed)}}, ranked...)
	}
	return fit(ranked)
}

// rank keeps the choices that contain what was typed: first those that begin
// with it, then those that hold it, each in the order given.
func rank(all []view.Choice, typed string) []view.Choice {
	typed = plainWord(typed)
	var out []view.Choice
	for _, want := range []func(string, string) bool{strings.HasPrefix, strings.Contains} {
		for _, c := range all {
			if !slices.Contains(out, c) && (want(plainWord(c.Value), typed) || want(plainWord(c.Label), typed)) {
				out = append(out, c)
			}
		}
	}
	return out
}

// plainWord is a word as it is compared.
func plainWord(s string) string {
	return strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// fit drops what a platform would refuse.
func fit(choices []view.Choice) []view.Choice {
	choices = slices.DeleteFunc(choices, func(c view.Choice) bool { return c.Value == "" || text.Units(c.Value) > maxSuggestion })
	choices = choices[:min(len(choices), maxSuggestions)]
	for i := range choices {
		choices[i].Label = text.Shorten(choices[i].Label, maxSuggestion)
	}
	return choices
}
