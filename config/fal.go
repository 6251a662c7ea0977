package config

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/ltx"
)

// Fal is the model and the account that pays for it.
type Fal struct {
	Key              Secret   `toml:"key" need:"yes" doc:"API key from https://fal.ai/dashboard/keys. Like every secret: a literal, env:NAME or file:/path."`
	AdminKey         Secret   `toml:"admin_key" doc:"API key of scope ADMIN. With it, what people delete or erase is also deleted at fal: the request, its result and the video. Empty = fal keeps its copies."`
	Model            string   `toml:"model" doc:"Endpoint that makes videos from text. Its model is the default one, also for what begins with a picture, a sound or a video."`
	ModelWithoutLoRA string   `toml:"model_without_lora" doc:"Cheaper endpoint for text without a LoRA; empty = model."`
	QueueURL         string   `toml:"queue_url" doc:"fal's queue."`
	RestURL          string   `toml:"rest_url" doc:"fal's file storage and the keys that sign webhooks."`
	APIURL           string   `toml:"api_url" doc:"fal's platform API: the history where a lost request is looked for."`
	MediaHosts       []string `toml:"media_hosts" doc:"Results are downloaded from these hosts only; *. stands for any host below. Over plain http only this machine is asked, where it is listed with its port, such as 127.0.0.1:9000."`
	WebhookURL       string   `toml:"webhook_url" doc:"Public https address of this bot's web server, for results that fal pushes to /fal/webhook; empty = the bot asks by itself."`
	USDPerMegapixel  float64  `toml:"usd_per_megapixel" doc:"Price of one megapixel of video (width × height × frames / 1,000,000) in US dollars, at the endpoint in model; see its page on https://fal.ai. Other endpoints have the prices that the bot knows, or those in models.prices."`
	Deadline         Duration `toml:"deadline" doc:"A job that takes longer is cancelled at fal."`
	Grace            Duration `toml:"grace" doc:"How long a request whose reply was lost is looked for before it is given up."`
	GiveUp           Duration `toml:"give_up" doc:"How long after the deadline a job that fal never ends is waited for. Then it has failed: what was held for it is free again, or charged with quota.bill_failures."`
	KeepMedia        Duration `toml:"keep_media" doc:"How long fal keeps the videos that it has made and the files that were uploaded to it. Anybody who has a video's address can see it. At least 48h; \"0s\" = as long as fal likes, which is without end. Then links to videos stop working."`
	SafetyChecker    bool     `toml:"safety_checker" doc:"fal's check of prompts and videos. Turning it off is the operator's decision, never a member's."`
}

func defaultFal() Fal {
	return Fal{
		Key:             secretRef("env:FAL_KEY"),
		Model:           "fal-ai/ltx-2.3-22b/text-to-video/lora",
		QueueURL:        "https://queue.fal.run",
		RestURL:         "https://rest.fal.ai",
		APIURL:          "https://api.fal.ai/v1",
		MediaHosts:      []string{"fal.media", "*.fal.media"},
		USDPerMegapixel: 0.001805,
		Deadline:        minutes(20),
		Grace:           minutes(3),
		GiveUp:          minutes(120),
		SafetyChecker:   true,
	}
}

// leastKeepMedia is longer than a video waits for a conversation that does not
// answer.
const leastKeepMedia = 48 * time.Hour

// endpointPattern is an endpoint of fal: owner/app and a path below it.
var endpointPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_.-]+)+$`)

// endpointExample is what an endpoint looks like.
const endpointExample = `an endpoint such as "fal-ai/ltx-2.3-22b/text-to-video/lora"`

func (f Fal) check(k *checker) {
	if f.Key.Reveal() == "" {
		k.add("fal.key", "", "is empty: set FAL_KEY, or name another source with env: or file:")
	}
	k.matches("fal.model", f.Model, endpointPattern, endpointExample)
	if f.ModelWithoutLoRA != "" {
		k.matches("fal.model_without_lora", f.ModelWithoutLoRA, endpointPattern, "empty or "+endpointExample)
	}
	k.baseURL("fal.queue_url", f.QueueURL)
	k.baseURL("fal.rest_url", f.RestURL)
	k.baseURL("fal.api_url", f.APIURL)
	if f.WebhookURL != "" {
		k.baseURL("fal.webhook_url", f.WebhookURL)
	}
	if len(f.MediaHosts) == 0 {
		k.add("fal.media_hosts", "[]", "must name at least one host, or no video can be fetched")
	}
	k.hosts("fal.media_hosts", f.MediaHosts)
	checkPrice(k, "fal.usd_per_megapixel", f.USDPerMegapixel)
	k.positive("fal.deadline", f.Deadline)
	k.positive("fal.grace", f.Grace)
	k.positive("fal.give_up", f.GiveUp)
	if keep := f.KeepMedia.Duration; keep != 0 && keep < leastKeepMedia {
		k.add("fal.keep_media", f.KeepMedia.String(), fmt.Sprintf("must be \"0s\", or at least %s: a video that waits for its channel must still be there", Duration{leastKeepMedia}))
	}
}

// Models is what is said of fal's endpoints beside the one in fal.model.
type Models struct {
	Allow  []string `toml:"allow" doc:"Models that people may choose, beside that of fal.model: ltx-2.3, distilled, quality, pro, fast, ltx-2.5, ltx-2.5-pro. Empty = all. What is sent to pro, fast and ltx-2.5 goes to Lightricks, a partner of fal."`
	Prices Prices   `toml:"prices" doc:"Prices in US dollars by endpoint: of a megapixel of video, or of a second where the endpoint counts these. @720p stands for a resolution that has a price of its own. The endpoint in fal.model has its price in fal.usd_per_megapixel."`
	Custom []Custom `toml:"custom" doc:"An endpoint that the bot does not know, for fal.model and fal.model_without_lora. Repeat the table for each."`
}

// Custom is an endpoint of the operator's own.
type Custom struct {
	Endpoint string  `toml:"endpoint" doc:"Its id at fal."`
	Like     string  `toml:"like" doc:"An endpoint that the bot knows and that takes the same inputs."`
	USD      float64 `toml:"usd" doc:"Price of a megapixel, or of a second where the endpoint that it is like counts these, in US dollars; 0 = the same. In fal.model it has its price in fal.usd_per_megapixel."`
}

// Prices are prices by endpoint, in US dollars; "endpoint@720p" is that of a
// resolution.
type Prices map[string]float64

// knownPrices are the prices of the table, but for that of the default endpoint.
func knownPrices() Prices {
	prices := Prices{}
	for _, endpoint := range ltx.EndpointIDs() {
		known, _ := ltx.FindEndpoint(endpoint)
		if len(known.Price.BySide) == 0 && endpoint != ltx.DefaultEndpoint {
			prices[endpoint] = known.Price.USD
		}
		for side, usd := range known.Price.BySide {
			prices[fmt.Sprintf("%s@%dp", endpoint, side)] = usd
		}
	}
	return prices
}

// models checks names of models.
func (k *checker) models(key string, names []string) {
	for n, name := range names {
		if !slices.Contains(ltx.Models(), name) {
			k.add(fmt.Sprintf("%s.%d", key, n), name, "is no model; there are "+strings.Join(ltx.Models(), ", "))
		}
	}
}

func (m Models) check(k *checker) {
	k.models("models.allow", m.Allow)
	for n, c := range m.Custom {
		key := fmt.Sprintf("models.custom.%d", n)
		if c == (Custom{}) {
			continue
		}
		k.matches(key+".endpoint", c.Endpoint, endpointPattern, endpointExample)
		if _, ok := ltx.FindEndpoint(c.Like); !ok {
			k.add(key+".like", c.Like, "is no endpoint that the bot knows")
		}
		if c.USD != 0 {
			checkPrice(k, key+".usd", c.USD)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Prices)) {
		checkPrice(k, join("models.prices", key), m.Prices[key])
		endpoint, side, tiered := strings.Cut(key, "@")
		e, ok := ltx.FindEndpoint(m.like(endpoint))
		if !ok {
			k.add(join("models.prices", key), "", "is no endpoint that the bot knows")
		} else if _, has := e.Price.BySide[sideOf(side)]; tiered && !has {
			k.add(join("models.prices", key), "", "has no price of its own for "+side)
		}
	}
}

// like is the endpoint of the table that an endpoint is, or is like.
func (m Models) like(endpoint string) string {
	i := slices.IndexFunc(m.Custom, func(c Custom) bool { return c.Endpoint == endpoint })
	if i < 0 {
		return endpoint
	}
	return m.Custom[i].Like
}

// sideOf reads "720p".
func sideOf(text string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "p"))
	if err != nil {
		return 0
	}
	return n
}

// CustomEndpoints are the operator's own endpoints, each with the one that it is
// like.
func (m Models) CustomEndpoints() map[string]string {
	custom := make(map[string]string, len(m.Custom))
	for _, c := range m.Custom {
		custom[c.Endpoint] = c.Like
	}
	return custom
}

func checkPrice(k *checker, key string, price float64) {
	if !(price > 0 && price <= 1) {
		k.add(key, fmt.Sprint(price), "must be more than 0 and at most 1 US dollar")
	}
}

// PriceOf is what an endpoint costs.
func (c Config) PriceOf(endpoint string) ltx.Price {
	e, ok := ltx.FindEndpoint(c.Models.like(endpoint))
	if !ok { // a job of an endpoint that is no longer in the config
		return ltx.Price{Unit: ltx.Megapixel, USD: c.Fal.USDPerMegapixel}
	}
	price := e.Price
	price.BySide = maps.Clone(price.BySide)
	for _, own := range c.Models.Custom {
		if own.Endpoint == endpoint && own.USD > 0 {
			price.USD, price.BySide = own.USD, nil
		}
	}
	if usd, ok := c.Models.Prices[endpoint]; ok {
		price.USD, price.BySide = usd, nil
	}
	for side := range price.BySide {
		if usd, ok := c.Models.Prices[fmt.Sprintf("%s@%dp", endpoint, side)]; ok {
			price.BySide[side] = usd
			price.USD = max(price.USD, usd)
		}
	}
	// The key has a default, which is the price of the default endpoint alone.
	says := c.Fal.Model == ltx.DefaultEndpoint || c.Fal.USDPerMegapixel != ltx.DefaultUSDPerMegapixel
	if endpoint == c.Fal.Model && price.Unit == ltx.Megapixel && says {
		price.USD = c.Fal.USDPerMegapixel
	}
	return price
}

// checkText complains about an endpoint that the bot does not know, or that
// does not make videos from text.
func (c Config) checkText(k *checker, key, endpoint string) {
	if !endpointPattern.MatchString(endpoint) {
		return // told already
	}
	e, ok := ltx.FindEndpoint(c.Models.like(endpoint))
	switch {
	case !ok:
		k.add(key, endpoint, "is no endpoint that the bot knows: fal would ignore what it does not take; describe it in [[models.custom]]")
	case !e.IsText():
		k.add(key, endpoint, "makes no videos from text alone")
	}
}

// Options are parameters of the model by name. A value is a string, an int64,
// a float64 or a bool; Text gives all as a person would type them.
type Options map[string]any

// Text returns the options as a person would type them: "num_inference_steps"
// → "15", "use_multiscale" → "true".
func (o Options) Text() map[string]string {
	text := make(map[string]string, len(o))
	for name, v := range o {
		text[name] = fmt.Sprint(v)
	}
	return text
}

func (o Options) check(k *checker, table string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch v := o[name].(type) {
		case string, bool, int64:
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				k.add(join(table, name), fmt.Sprint(v), "must be a finite number")
			}
		default:
			k.add(join(table, name), "", "must be text in quotes, a number, true or false")
		}
	}
}

// Quality is what each word of the option "quality" sets: draft, standard and
// best, and words of the operator's own.
type Quality map[string]Options

// defaultQuality is what the model's table says.
func defaultQuality() Quality {
	q := Quality{}
	for word, settings := range ltx.DefaultQualities() {
		q[word] = Options{}
		for _, s := range settings {
			q[word][s.Key] = typed(s.Value)
		}
	}
	return q
}

// typed turns a value as a person types it into what TOML would hold.
func typed(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	switch text {
	case "yes":
		return true
	case "no":
		return false
	}
	return text
}

// wordPattern is a value of the option "quality".
var wordPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

func (q Quality) check(k *checker) {
	for _, word := range slices.Sorted(maps.Keys(q)) {
		key := "quality." + word
		if !wordPattern.MatchString(word) {
			k.add(key, "", "must be named with 1 to 32 lower-case letters, digits and _")
		}
		q[word].check(k, key)
	}
}

// LoRA is which LoRAs people may use.
type LoRA struct {
	Hosts []string `toml:"hosts" doc:"Hosts that a LoRA may be on, and every host below them."`
	Max   int      `toml:"max" doc:"LoRAs in one request, 1 to 3."`
}

// maxLoRAs is the most that one request may name; fal states it for its other
// endpoint of this model.
// https://fal.ai/models/fal-ai/ltx-2.3-quality/text-to-video/lora
const maxLoRAs = 3

func defaultLoRA() LoRA {
	return LoRA{
		Hosts: ltx.DefaultLoRAHosts(),
		Max:   maxLoRAs,
	}
}

func (l LoRA) check(k *checker) {
	k.hosts("lora.hosts", l.Hosts)
	k.whole("lora.max", int64(l.Max), 1, maxLoRAs)
}

// Limits is how large a request may be, whoever makes it.
type Limits struct {
	MaxSide       int   `toml:"max_side" doc:"Longest side of a video, in pixels, 256 to 2048."`
	MaxMegapixels int64 `toml:"max_megapixels" doc:"Size of a whole video, width × height × frames / 1,000,000; 0 = no limit. Five seconds of 1280 × 704 at 24 frames per second are 110."`
	MaxPrompt     int   `toml:"max_prompt" doc:"Length of a prompt, in characters, 1 to 10000."`
}

func (l Limits) check(k *checker) {
	k.whole("limits.max_side", int64(l.MaxSide), 256, 2048)
	k.whole("limits.max_megapixels", l.MaxMegapixels, 0, math.MaxInt64)
	k.whole("limits.max_prompt", int64(l.MaxPrompt), 1, 10_000)
}
