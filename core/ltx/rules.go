package ltx

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Setting is one key and one value as a person typed them. A blank value is
// as good as no setting, so that forms can send all their fields.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// File is what a platform gave for a parameter of KindMedia: see
	// FileSetting. It is zero for all that a person typed.
	File Media `json:"file,omitzero"`
}

// SettingsOf makes settings of a table in a config file, in the order of its
// keys.
func SettingsOf(m map[string]string) []Setting {
	settings := make([]Setting, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		settings = append(settings, Setting{Key: key, Value: m[key]})
	}
	return settings
}

// Rules are what the operator decided. The zero value is ready to use.
type Rules struct {
	// Defaults are the settings of a request that does not say otherwise.
	// They may set what is the operator's only.
	Defaults []Setting
	// Qualities are the settings behind each value of the option quality.
	// They win over Defaults, and what a person sets wins over them. Nil is
	// DefaultQualities.
	Qualities map[string][]Setting
	// LoRAHosts are where LoRA files may come from, subdomains included. Nil
	// is DefaultLoRAHosts.
	LoRAHosts []string
	// MaxLoRAs is how many a request may name; 0 is 3.
	MaxLoRAs int
	// Library finds a LoRA by the name the team gave it; nil is none.
	Library func(name string) (LoRA, bool)
	// LibraryNames lists the names of the library for "did you mean"; nil is
	// none.
	LibraryNames func() []string
	// Checked returns what is known against the LoRA at a path, as notes without
	// Option and From; nil is nothing. It does not wait for anything.
	Checked func(path string) []Note
	// Styles finds a style by the name the team gave it; nil is none.
	Styles func(name string) (Style, bool)
	// StyleNames lists the names of the styles for "did you mean"; nil is none.
	StyleNames func() []string
	// Own are the options that the member who asks has set for all own videos.
	// A style wins over them, and so does the quality that the member sets.
	Own []Setting
	// MaxSide is the longest side, in pixels; 0 is 2048.
	MaxSide int
	// MaxMegapixels is the most that one video may have, as the provider
	// counts for its bill: width × height × frames; 0 is no limit.
	MaxMegapixels int64
	// MaxPrompt is the longest prompt, in Unicode code points; 0 is 2000.
	MaxPrompt int
	// Endpoint is the one of the default model that makes videos from text,
	// and EndpointWithoutLoRA that for requests without a LoRA. Empty is
	// DefaultEndpoint, and Endpoint.
	Endpoint, EndpointWithoutLoRA string
	// Custom are endpoints that are not in the table, each with the one that it
	// is like.
	Custom map[string]string
	// Models are the names of those that people may choose, beside that of
	// Endpoint; nil is all.
	Models []string
	// Reserved are further models, each with the tiers whose members may choose it.
	Reserved map[string][]string
	// Tiers are those of the member who asks. While nobody has looked them up,
	// AnyTier is set, and what any tier may choose is allowed: Refuses is to be
	// asked again.
	Tiers   []string
	AnyTier bool
	// Price is what an endpoint costs; nil is as in the table.
	Price func(endpoint string) Price
	// AllowUnsafe turns the provider's content checker off.
	AllowUnsafe bool
	// Seed draws a seed between 0 and MaxSeed; nil is a random one.
	Seed func() int64
}

// DefaultQualities returns the qualities of an operator who defines none.
func DefaultQualities() map[string][]Setting {
	preset := func(steps, acceleration, multiscale, encoding string) []Setting {
		return []Setting{
			{Key: "num_inference_steps", Value: steps},
			{Key: "acceleration", Value: acceleration},
			{Key: "use_multiscale", Value: multiscale},
			{Key: "video_quality", Value: encoding},
		}
	}
	return map[string][]Setting{
		"draft":    preset("8", "high", "no", "medium"),
		"standard": preset("15", "none", "yes", "high"),
		"best":     preset("40", "none", "yes", "maximum"),
	}
}

// QualityNames returns the values of the option quality: draft, standard,
// best, then the operator's own by name.
func (r Rules) QualityNames() []string {
	rank := func(name string) int {
		i := slices.IndexFunc(qualities, func(c Choice) bool { return c.Value == name })
		if i < 0 {
			return len(qualities)
		}
		return i
	}
	return slices.SortedFunc(maps.Keys(r.qualities()), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

// NewSeed draws a seed for a new request.
func (r Rules) NewSeed() int64 {
	if r.Seed != nil {
		return r.Seed()
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint32(b[:]) & MaxSeed)
}

func (r Rules) qualities() map[string][]Setting {
	if r.Qualities == nil {
		return DefaultQualities()
	}
	return r.Qualities
}

func (r Rules) hosts() []string {
	if r.LoRAHosts == nil {
		return DefaultLoRAHosts()
	}
	return r.LoRAHosts
}

func (r Rules) maxLoRAs() int { return cmp.Or(r.MaxLoRAs, defaultMaxLoRAs) }

// longestSide is the operator's limit; what has none is bounded by the model.
func (r Rules) longestSide() int {
	if r.MaxSide == 0 || r.MaxSide == maxSide {
		return maxTypedSide
	}
	return r.MaxSide
}

func (r Rules) maxSide() int   { return cmp.Or(r.MaxSide, maxSide) }
func (r Rules) maxPrompt() int { return cmp.Or(r.MaxPrompt, row(idPrompt).MaxLen) }

// Validate returns everything that is wrong with the rules themselves. Each
// error names the key that is at fault.
func (r Rules) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.maxSide() < minSide || r.maxSide() > maxSide {
		fault("the longest side is %d; it must be between %d and %d pixels", r.MaxSide, minSide, maxSide)
	}
	if r.MaxLoRAs < 0 || r.MaxMegapixels < 0 || r.MaxPrompt < 0 {
		fault("the limits of LoRAs, megapixels and prompt must not be negative")
	}
	for _, h := range r.hosts() {
		if !hostForm.MatchString(lowerHost(trimWildcard(h))) {
			fault("%q is not a host that LoRAs can come from", h)
		}
	}
	errs = append(errs, r.validateEndpoints()...)
	if len(errs) == 0 {
		errs = append(errs, r.validateSettings()...)
	}
	return errors.Join(errs...)
}

// validateEndpoints looks for endpoints and models that nobody knows.
func (r Rules) validateEndpoints() []error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(r.Custom)) {
		if _, ok := endpoints[r.Custom[id]]; !ok {
			errs = append(errs, fmt.Errorf("the endpoint %q is like %q, which is not in the table", id, r.Custom[id]))
		}
	}
	for _, id := range []string{r.textEndpoint(), cmp.Or(r.EndpointWithoutLoRA, r.textEndpoint())} {
		if e, ok := r.find(id); !ok {
			errs = append(errs, fmt.Errorf("the endpoint %q is not known; describe it in models.custom", id))
		} else if !e.IsText() {
			errs = append(errs, fmt.Errorf("the endpoint %q makes no videos from text alone", id))
		}
	}
	for _, name := range append(slices.Sorted(maps.Keys(r.Reserved)), r.Models...) {
		if !slices.Contains(Models(), name) {
			errs = append(errs, fmt.Errorf("there is no model %q; there are %s", name, listed(Models())))
		}
	}
	return errs
}

// validateSettings tries the defaults and each quality, first alone and then
// together.
func (r Rules) validateSettings() []error {
	var errs []error
	defaults, problems := collect(byOperator, r.Defaults)
	_, more := r.quality(defaults)
	problems = append(problems, more...)
	if problems = append(problems, r.evaluate(Endpoint{}, withPrompt(defaults), nil, nil).problems...); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("defaults: %w", sorted(problems)))
	}
	for _, name := range r.QualityNames() {
		preset, problems := collect(byQuality, r.qualities()[name])
		if problems = append(problems, r.evaluate(Endpoint{}, withPrompt(preset), nil, nil).problems...); len(problems) > 0 {
			errs = append(errs, fmt.Errorf("quality %q: %w", name, sorted(problems)))
		}
	}
	if len(errs) > 0 {
		return errs
	}
	for _, name := range append([]string{""}, r.QualityNames()...) {
		if _, err := r.Parse([]Setting{{Key: idPrompt, Value: "a"}, {Key: idQuality, Value: name}}); err != nil {
			errs = append(errs, fmt.Errorf("a request with the defaults and quality %q: %w", name, err))
		}
	}
	// The video would come inside the answer and nowhere else: it could
	// neither be fetched again nor be found in the history.
	if req, err := r.Parse([]Setting{{Key: idPrompt, Value: "a"}}); err == nil && req.Value("sync_mode") == true {
		errs = append(errs, errors.New("defaults: sync_mode must stay off: a video that is paid for could be lost"))
	}
	return errs
}
