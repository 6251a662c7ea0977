package ltx

// A FieldForTest is one input of an endpoint.
type FieldForTest struct {
	Name, Task          string
	Param               Param // the row with the endpoint's own limits and default
	MaxLen              int
	Fixed               any
	Required, Converted bool
}

// FieldsForTest are the inputs of an endpoint.
func FieldsForTest(id string) []FieldForTest {
	e := endpoints[id]
	t := ""
	for _, m := range models {
		for _, w := range m.makes {
			if t == "" && (w.plain.ID == id || w.lora.ID == id) {
				t = string(w.task)
			}
		}
	}
	var out []FieldForTest
	for _, f := range e.fields {
		p := Param{}
		if f.row != "" {
			p = e.row(row(f.row))
		}
		out = append(out, FieldForTest{f.name, t, p, f.maxLen, f.fixed, f.required, f.as != asIs})
	}
	return out
}

// WholeLine is a request as a line, with all of its settings.
func WholeLine(r Request) string { return commandLine(r.Settings()) }
