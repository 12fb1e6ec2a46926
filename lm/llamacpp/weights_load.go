package llamacpp

import "errors"

// weightChoice is what a chooser has decided.
type weightChoice struct {
	WeightReport
	hash string // sha256 of the file as shipped, or "" where it was not needed
}

func (s weightChoice) because(why string) weightChoice {
	s.Reason = why
	return s
}

// rewritten is the choice of a file in the cache.
func (s weightChoice) rewritten(f form, path, why string) weightChoice {
	s.Type, s.Path, s.Reason = f.weights, path, why
	return s
}

// load loads the file that was chosen and returns what was loaded in the end: where a
// form that nobody asked for does not load, for want of memory perhaps, it is the file
// as shipped.
func (s weightChoice) load(shipped string, cfg config) (engine, weightChoice, error) {
	type sum struct {
		hash string
		err  error
	}
	summed := make(chan sum, 1)
	go func() { // as long as loading takes
		if s.hash != "" {
			summed <- sum{hash: s.hash}
			return
		}
		hash, err := hashFile(shipped)
		summed <- sum{hash, err}
	}()
	loaded := s
	e, reason := load(s.Path, cfg)
	if e == nil && s.Path != shipped && cfg.weights == WeightsAuto {
		loaded.Type, loaded.Path = WeightsAsShipped, shipped
		loaded.Reason = string(s.Type) + " was found to be faster but cannot be loaded: " + reason
		e, reason = load(shipped, cfg)
	}
	result := <-summed
	if e == nil {
		return nil, s, errors.New(reason)
	}
	if result.err != nil {
		e.free()
		return nil, s, result.err
	}
	loaded.hash = result.hash
	return e, loaded, nil
}
