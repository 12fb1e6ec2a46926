package snake_test

import (
	"testing"

	"github.com/whetgo/whet/internal/snake"
)

func TestCase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "A": "a", "Text": "text", "text": "text", "NextQuery": "next_query",
		"SMSText": "sms_text", "SMS": "sms", "ByTopic": "by_topic", "UserID": "user_id",
		"HTTPServerURL": "http_server_url", "Top10": "top10", "Top10Hits": "top10_hits",
		"Next_Query": "next_query", "already_snake": "already_snake", "Äußerung": "äußerung",
		"ÜberMut": "über_mut", "X1Y": "x1_y", "ABc": "a_bc",
	} {
		if got := snake.Case(in); got != want {
			t.Errorf("Case(%q) = %q, want %q", in, got, want)
		}
	}
}
