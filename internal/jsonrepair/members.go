package jsonrepair

import "github.com/whetgo/whet/signature"

// members collects the fields of an object: in the order in which they first
// appear, each with the value that came last.
type members struct {
	names  []string
	values []signature.Value
	index  map[string]int
}

func (m *members) has(name string) bool {
	_, ok := m.index[name]
	return ok
}

func (m *members) set(name string, v signature.Value) {
	if i, ok := m.index[name]; ok {
		m.values[i] = v
		return
	}
	if m.index == nil {
		m.index = map[string]int{}
	}
	m.index[name] = len(m.names)
	m.names, m.values = append(m.names, name), append(m.values, v)
}

// lastList returns where the list of the newest field stands, when that is what
// the newest field holds and it has a name.
func (m *members) lastList() (at *signature.Value, items []signature.Value, ok bool) {
	last := len(m.names) - 1
	if last < 0 || m.names[last] == "" {
		return nil, nil, false
	}
	items, ok = m.values[last].([]signature.Value)
	return &m.values[last], items, ok
}

func (m *members) record() signature.Record { return signature.MakeRecord(m.names, m.values) }
