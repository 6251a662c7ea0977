package ltx

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Parse makes a request of settings. Defaults apply first, then the chosen
// quality, then the settings; their order does not matter. What cannot be
// made exactly is made as near as possible and noted in Request.Notes. The
// error is Invalid and holds every problem at once.
func (r Rules) Parse(in []Setting) (Request, error) {
	said, problems := r.hear(in)
	given, preset, below := said.given, said.preset, said.below
	all := given.over(below)
	w, more := r.choose(all, given)
	problems = append(problems, more...)
	if w.endpoint.ID != "" {
		problems = append(problems, r.misfits(w, given)...)
		problems = append(problems, r.idle(w, given, preset)...)
		below = r.possible(w.endpoint, below)
		all = given.over(below)
	}
	e := r.evaluate(w.endpoint, all, given, filesOf(in))
	if w.endpoint.ID != "" {
		r.nameOthers(e.problems, w, given)
	}
	if problems = append(problems, e.problems...); len(problems) > 0 {
		return Request{}, sorted(r.withStyle(in, said.style, problems))
	}
	e.notes = r.withLarger(e.notes, w, all)
	req := r.request(w, e, all)
	if said.style != "" {
		req.Notes = append([]Note{{Option: row(idStyle).Key(), From: said.style, Reason: AppliedStyle}}, req.Notes...)
	}
	req.quality, req.style = said.quality, said.style
	req.given = r.differing(req, w, given, below)
	if problems := r.checkMegapixels(req); len(problems) > 0 {
		return Request{}, problems
	}
	if len(req.auto) == 0 && w.task == fromText {
		return req, nil
	}
	return req.settle(r)
}

// heard is what settings say, with what applies beneath them.
type heard struct {
	given          layer  // by the person, with the style and the defaults of the member
	preset         layer  // of the quality
	below          layer  // the preset over the operator's defaults
	style, quality string // their names, or ""
}

// hear sorts settings into layers.
func (r Rules) hear(in []Setting) (h heard, problems Invalid) {
	defaults, problems := collect(byOperator, r.Defaults)
	given, more := collect(byPerson, in)
	problems = append(problems, more...)
	given, h.style, more = r.styled(given)
	problems = append(problems, more...)
	h.given, more = r.withOwn(given)
	problems = append(problems, more...)
	h.quality, more = r.quality(h.given.over(defaults))
	problems = append(problems, more...)
	h.below = defaults
	if h.quality != "" {
		h.preset, more = collect(byQuality, r.qualities()[h.quality])
		problems = append(problems, more...)
		h.below = h.preset.over(defaults)
	}
	return h, problems
}

// request makes a request of what was read.
func (r Rules) request(w route, e *evaluation, all layer) Request {
	req := Request{
		Private: e.private, Notes: e.notes, values: e.values, count: e.count,
		model: w.model.Value, endpoint: w.endpoint.ID, like: r.like(w.endpoint.ID), task: w.task,
	}
	if w.task.ofClip() {
		req.edit = w.task
	}
	if w.task != fromText {
		for _, id := range following {
			_, set := all[id]
			if _, timed := all[idDuration]; !set && (id != idFrames || !timed) {
				req.auto = append(req.auto, id)
			}
		}
		if _, counted := all[idFrames]; counted && w.endpoint.shape == nil {
			req.auto = append(req.auto, idDuration)
		}
		if c, ok := row(idSize).choice(all[idSize]); ok && slices.Contains(sideOnly, c.Value) {
			req.auto = append(req.auto, autoShape)
		}
	}
	if !w.endpoint.takes(idPrompt) && all.set(idPrompt) {
		req.Notes = append(req.Notes, Note{Option: row(idPrompt).Key(), Reason: PromptUnused})
	}
	if who := w.endpoint.Partner; who != "" {
		req.Notes = append(req.Notes, Note{Option: row(idModel).Key(), From: who, To: fmt.Sprintf("$%.2f", r.price(w.endpoint).At(req.Size())), Reason: ByPartner})
	}
	return req
}

// sorted puts problems into the order of the table and drops repeated ones.
func sorted(problems Invalid) Invalid {
	position := func(e FieldError) int {
		if i, ok := index[fold(e.Option)]; ok {
			return i
		}
		return -1
	}
	slices.SortStableFunc(problems, func(a, b FieldError) int { return position(a) - position(b) })
	return slices.CompactFunc(problems, func(a, b FieldError) bool {
		return a.Option == b.Option && a.Problem == b.Problem && a.Value == b.Value && a.Other == b.Other
	})
}

// quality returns the name of the quality that the layer chooses, or "".
func (r Rules) quality(l layer) (string, Invalid) {
	text, ok := l[idQuality]
	if !ok || isNone(text) {
		return "", nil
	}
	names := r.QualityNames()
	meant := []string{fold(text)}
	if c, ok := row(idQuality).choice(text); ok {
		meant = append(meant, fold(c.Value))
	}
	for _, m := range meant {
		if i := slices.IndexFunc(names, func(n string) bool { return fold(n) == m }); i >= 0 {
			return names[i], nil
		}
	}
	return "", Invalid{{
		Option: row(idQuality).Key(), Problem: NotAChoice, Value: shown(text),
		Choices: names, Nearest: nearest(text, names),
	}}
}

// checkMegapixels refuses a video that is larger than the operator allows.
func (r Rules) checkMegapixels(req Request) Invalid {
	size, frames, fps, known := req.whole()
	count := megapixels(size.Width, size.Height, frames)
	if !known || r.MaxMegapixels <= 0 || count <= r.MaxMegapixels {
		return nil
	}
	e := FieldError{
		Option: row(idSize).Key(), Problem: TooManyMegapixels,
		Value: size.String() + " for " + secondsText(float64(frames)/fps),
		Count: count, Max: float64(r.MaxMegapixels), Unit: "megapixels",
	}
	if frames != req.Frames() {
		e.Option = row(idClip).Key()
		return Invalid{e}
	}
	most := float64(r.MaxMegapixels) * pixelsPerMegapixel / float64(size.Width*size.Height)
	if frames := floorFrames(most); frames >= minFrames {
		if text, ok := typedDuration(frames, fps); ok {
			e.Nearest = text + "s"
		}
	}
	return Invalid{e}
}

// whole is the video that comes out: an extended or retaken clip has the size of
// the clip, and all of its length where a partner makes it. It is not known
// before the clip is.
func (r Request) whole() (size Size, frames int, fps float64, known bool) {
	size, frames, fps = r.Size(), r.Frames(), r.FPS()
	clip, ok := r.Media(idClip)
	sized := clip.Width > 0 && clip.Height > 0
	switch {
	case !ok:
		return size, frames, fps, true
	case r.task == reframe:
		return size, frames, fps, clip.Seconds > 0
	case r.task == extend && endpoints[r.like].shape == nil:
		return size, frames, fps, sized || !slices.Contains(r.auto, idSize)
	case r.task != extend && r.task != retake:
		return size, frames, fps, true
	}
	if clip.FPS > 0 {
		fps = clip.FPS
	}
	return Size{clip.Width, clip.Height}, int(math.Round(r.outputSeconds() * fps)), fps, sized && clip.Seconds > 0
}

// differing returns the ids of what the person set to something else than it
// would be anyway, in the order of the table.
func (r Rules) differing(req Request, w route, given, below layer) []string {
	e := r.begin(w.endpoint, below, len(given))
	if w.endpoint.shape == nil {
		e.fps = req.FPS()
	}
	ids := make([]string, 0, len(given))
	for id, text := range given {
		if id == idDuration {
			id = idFrames
		}
		if r.differs(e, id, text, req, given, below) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return index[a] - index[b] })
	return ids
}

// differs reports whether the text that the person set for a row makes it
// something else than what the evaluation reads below it.
func (r Rules) differs(e *evaluation, id, text string, req Request, given, below layer) bool {
	switch id {
	case idPrompt:
		return true
	case idSeed:
		return !isRandom(text)
	case idQuality:
		own, _ := r.quality(below)
		return own != req.quality
	case idModel:
		usual, _, _ := r.model(below, nil)
		return usual.Value != req.model
	case idEdit:
		return given.set(id)
	}
	if p := row(id); e.endpoint.takes(id) {
		e.read(e.endpoint.row(p), below)
	}
	switch id {
	case idPrivate:
		return e.private != req.Private
	case idCount:
		return e.count != req.count
	case idFPS, idSize, idFrames:
		return req.task != fromText || !sameValue(e.values[id], req.values[id])
	case idLoRAs:
		if loras, ok := e.values[id].([]LoRA); ok {
			e.values[id] = withoutNegatives(loras)
		}
	}
	return !sameValue(e.values[id], req.values[id])
}

// withPrompt returns the layer with a prompt that keeps the evaluation of
// defaults from missing one.
func withPrompt(l layer) layer {
	l = maps.Clone(l)
	if l == nil {
		l = layer{}
	}
	if _, ok := l[idPrompt]; !ok {
		l[idPrompt] = "a"
	}
	return l
}
