package gbnf

// formats are the formats that texts are held to, as patterns of the whole text.
var formats = map[string]string{
	"date":      `^` + dates + `$`,
	"time":      `^` + times + `$`,
	"date-time": `^` + dates + `T` + times + `$`,
	"uuid":      `^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`,
	"ipv4":      `^` + octet + `(?:\.` + octet + `){3}$`,
	"hostname":  `^` + hosts + `$`,
	"email":     `^[A-Za-z0-9_%+-]{1,20}(?:\.[A-Za-z0-9_%+-]{1,20}){0,2}@` + label + `(?:\.` + label + `){1,4}$`,
	"uri":       `^https?://` + hosts + `(?::[1-9][0-9]{0,3})?(?:/[A-Za-z0-9._~-]*)*$`,
}

const (
	dates = `(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|` + leapYears + `-02-29)`
	// leapYears are those that four divides, but of whole centuries every fourth.
	leapYears = `(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)`
	hours     = `(?:[01][0-9]|2[0-3]):[0-5][0-9]`
	times     = hours + `:[0-5][0-9](?:\.[0-9]{1,9})?(?:Z|[+-]` + hours + `)`
	octet     = `(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
	label     = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,28}[A-Za-z0-9])?`
	hosts     = label + `(?:\.` + label + `){0,4}`
)
