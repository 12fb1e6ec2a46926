package llamacpp

import (
	"strings"
	"sync"

	"github.com/whetgo/whet/lm"
)

// stream holds what a job shows of its reply until its caller takes it: one text of each
// step, so that it grows with the reply's tokens and the scheduler never waits.
type stream struct {
	more  chan struct{} // holds one, when there are texts
	leave func()        // frees the job's place in the gate
	shown int           // bytes of the reply that texts have had; the scheduler's

	mu    sync.Mutex
	texts []string
}

// add is the scheduler's.
func (s *stream) add(text string) {
	s.shown += len(text)
	s.mu.Lock()
	s.texts = append(s.texts, text)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// take returns the texts that have not been taken, in order.
func (s *stream) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := s.texts
	s.texts = nil
	return texts
}

// show adds to the job's stream what nothing can take back of its reply, in whole
// characters: the tail, and what is certain of the hole at hand. What a finished job has
// left comes with its response.
func (j *job) show() {
	if j.finished() {
		return
	}
	reply, drawn := j.tail[j.replyAt:], j.certain()
	at := j.stream.shown
	if at >= len(reply)+len(drawn) {
		return
	}
	var text string
	if at >= len(reply) {
		text = drawn[at-len(reply):]
	} else {
		text = reply[at:] + drawn
	}
	if text = wholeRunes(text); text != "" {
		j.stream.add(text)
	}
}

// certain is the beginning of what was drawn for the hole at hand that stays, however the
// hole ends. A stop text that has begun may take its part of it away. The literal that
// follows the hole may, too, but it is put in the same place: the reply has that text
// in either case.
func (j *job) certain() string {
	if j.segments[j.at].hole == lm.HoleChoice {
		return ""
	}
	drawn := j.drawn.String()
	if j.following() != "" {
		return drawn
	}
	return drawn[:len(drawn)-begun(drawn, j.ends())]
}

// begun returns how many of the last bytes of text may be the beginning of an end.
func begun(text string, ends []string) int {
	longest := 0
	for _, e := range ends {
		for n := min(len(e)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, e[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// settle gives a job its result. A caller that is slow to take the events has left the
// gate by then, so that others are let in.
func (j *job) settle(o outcome) {
	if j.stream != nil {
		j.stream.leave()
	}
	j.done <- o
}
