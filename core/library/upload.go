package library

import (
	"context"
	"maps"
	"path"
	"strings"
	"unicode"

	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Uploaded stands for the link of a file that is uploaded.
const Uploaded = "uploaded/file"

// AddFile carries out the order "add" for a file that was looked at and uploaded.
// Nobody has typed its address, which takes the place of a link.
func (o *Office) AddFile(ctx context.Context, a team.Actor, order team.Order, address string, found Finding) (Report, error) {
	c, err := o.begin(ctx, a, WithFile(order))
	if err != nil {
		return Report{}, err
	}
	c.file = address
	r, err := o.carryOut(ctx, c.withFound(&found))
	r.Finding = &found
	return r, err
}

// WithFile is an order to add a file that is to be uploaded, for Check.
func WithFile(order team.Order) team.Order {
	order.Verb, order.Args = VerbAdd, maps.Clone(order.Args)
	if order.Args == nil {
		order.Args = map[string]string{}
	}
	order.Args["link"] = Uploaded
	return order
}

// NameFor is a name for the LoRA in a file.
func NameFor(file string) string {
	file = strings.TrimSuffix(file, path.Ext(file))
	name := strings.Join(strings.FieldsFunc(file, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.M) && !strings.ContainsRune("._-", r)
	}), "-")
	name = strings.TrimLeftFunc(name, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N) })
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	return name
}

// parse reads the link of an entry, which is not checked when it is that of an
// uploaded file.
func (o *Office) parse(c *call, link string) (ltx.LoRA, []ltx.Note, error) {
	rules := o.cfg.Rules()
	if c.file != "" {
		rules = ltx.Rules{} // of the scale alone
	}
	l, notes, err := rules.ParseLoRA(link)
	if err != nil {
		return l, nil, invalid(err)
	}
	if c.file != "" {
		l.Path = c.file
		return l, notes, nil
	}
	l.Path, err = c.public(l.Path)
	return l, notes, err
}
