package adapter

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/whetgo/whet/signature"
)

// time reads a date and time in the forms that pydantic takes: ISO 8601 with or
// without seconds and zone, a date alone, and seconds or milliseconds since 1970.
// A time without a zone is taken as UTC.
func (l *laxer) time(t *signature.Type, v signature.Value) (signature.Value, error) {
	switch v := v.(type) {
	case time.Time:
		return v, nil
	case int64:
		if tm, ok := l.unix(float64(v)); ok {
			return tm, nil
		}
	case float64:
		if tm, ok := l.unix(v); ok {
			return tm, nil
		}
	case string:
		if tm, ok := isoTime(v); ok {
			return tm, nil
		}
		if isPlainDecimal(v) {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				if tm, ok := l.unix(f); ok {
					return tm, nil
				}
			}
		}
		if s := unmark(v); l.lenient && s != v {
			if tm, ok := isoTime(s); ok {
				l.repaired("marks around a time")
				return tm, nil
			}
		}
	}
	return nil, unwanted(t, v)
}

// isPlainDecimal reports whether a text is digits with a sign and a point at most.
func isPlainDecimal(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	whole, fraction, point := strings.Cut(s, ".")
	return digits(whole) && (!point || digits(fraction))
}

// unix reads seconds since 1970, or milliseconds when seconds would lie too far
// off. To be careful, 2024 and 20240506 are dates that are incomplete, and not
// minutes of 1970.
func (l *laxer) unix(f float64) (time.Time, bool) {
	const farthest, least = 2e10, 1e8
	if math.IsNaN(f) || l.careful && math.Abs(f) < least {
		return time.Time{}, false
	}
	if math.Abs(f) > farthest {
		f /= 1000
	}
	const lastYear = 253402300800 // begin of the year 10000
	if f >= lastYear || f < -62135596800 {
		return time.Time{}, false
	}
	seconds := math.Floor(f)
	micros := math.Round((f - seconds) * 1e6)
	return time.Unix(int64(seconds), int64(micros)*1000).UTC(), true
}

// isoTime reads 2024-05-06T07:08:09.5+02:00 and what may be left out of it.
func isoTime(s string) (time.Time, bool) {
	const date = "2006-01-02"
	if len(s) < len(date) {
		return time.Time{}, false
	}
	day, err := time.Parse(date, s[:len(date)])
	if err != nil || day.Year() == 0 {
		return time.Time{}, false
	}
	rest := s[len(date):]
	if rest == "" {
		return day, true
	}
	if !strings.ContainsRune("Tt _", rune(rest[0])) {
		return time.Time{}, false
	}
	rest, zone, ok := cutZone(rest[1:])
	if !ok {
		return time.Time{}, false
	}
	clock, fraction, hasFraction := rest, "", false
	if i := strings.IndexAny(rest, ".,"); i >= 0 {
		clock, fraction, hasFraction = rest[:i], rest[i+1:], true
	}
	layout := "15:04:05"
	if len(clock) == 5 && !hasFraction {
		layout = "15:04"
	}
	tm, err := time.Parse(layout, clock)
	if err != nil || len(clock) != len(layout) {
		return time.Time{}, false
	}
	ns := 0
	if hasFraction {
		if fraction == "" || strings.Trim(fraction, "0123456789") != "" {
			return time.Time{}, false
		}
		ns, _ = strconv.Atoi((fraction + "000000000")[:9])
	}
	return time.Date(day.Year(), day.Month(), day.Day(), tm.Hour(), tm.Minute(), tm.Second(), ns, zone), true
}

// cutZone cuts Z, +02:00 or +0200 off the end of a time; without a zone it is UTC.
func cutZone(s string) (rest string, zone *time.Location, ok bool) {
	if rest, ok := strings.CutSuffix(strings.ToUpper(s), "Z"); ok {
		return rest, time.UTC, true
	}
	i := strings.LastIndexAny(s, "+-")
	if i < 0 {
		return s, time.UTC, true
	}
	layout := "-0700"
	if strings.Contains(s[i:], ":") {
		layout = "-07:00"
	}
	offset, err := time.Parse(layout, s[i:])
	if err != nil || len(s)-i != len(layout) {
		return "", nil, false
	}
	_, seconds := offset.Zone()
	if seconds <= -24*3600 || seconds >= 24*3600 {
		return "", nil, false
	}
	if seconds == 0 {
		return s[:i], time.UTC, true
	}
	return s[:i], time.FixedZone("", seconds), true
}
