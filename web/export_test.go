package web

// Route is a row of the table of routes.
type Route struct {
	Pattern string
	May     Role
}

// Routes is the table.
func Routes() []Route {
	var all []Route
	for _, r := range routes() {
		all = append(all, Route{r.pattern, r.may})
	}
	return all
}

// How long a session and an answer about somebody last.
const (
	SessionLife = sessionLife
	MaxSessions = maxSessions
	PersonLife  = personLife
	SignInLife  = signInLife
)

// How often people sign in.
var (
	SignInsOfOne = signInsOfOne
	SignInsOfAll = signInsOfAll
)
