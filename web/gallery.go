package web

import (
	"errors"
	"net/http"
	"time"
)

// videoList is a page of videos.
type videoList struct {
	Filter filter
	Wrong  string // what is wrong with it
	Videos []videoCard
	Older  string
	Own    bool
	Looked int
}

// videoCard is one video.
type videoCard struct {
	jobRow

	Video string
	Gone  bool
	LoRAs []string
	Again bool
	Once  string
}

func (s *Server) gallery(q *request) error {
	f := filterOf(q)
	f.State, f.Videos = "", true
	selects, err := s.named(q, f)
	if wrong, ok := errors.AsType[*nameError](err); ok {
		s.render(q, http.StatusUnprocessableEntity, "gallery", "Gallery", videoList{Filter: f, Wrong: wrong.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	found, next, looked, err := s.find(q.Context(), selects, q.access, videosPerPage)
	if err != nil {
		return err
	}
	list := videoList{Filter: f, Own: q.role == Member, Looked: looked}
	for _, j := range found {
		c := videoCard{jobRow: q.row(j), Again: s.mayAgain(q, j), Once: once()}
		c.Video, c.Gone = s.video(q, j)
		for _, l := range j.Request.LoRAs() {
			name := l.Name
			if name == "" {
				name = l.ShownPath()
			}
			c.LoRAs = append(c.LoRAs, name)
		}
		list.Videos = append(list.Videos, c)
	}
	if !next.IsZero() {
		values := f.values(q.role)
		values.Set("before", next.Format(time.RFC3339Nano))
		list.Older = link(Path+"/gallery", values)
	}
	s.render(q, http.StatusOK, "gallery", "Gallery", list)
	return nil
}
