package evaluate

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlainProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newProgress(&b, 4)
		p.row(1, false)
		time.Sleep(5 * time.Second)
		p.row(0, true)
		p.row(1, false)
		time.Sleep(5 * time.Second)
		p.row(1, false)
		p.end()
		assert.Equal(t, "evaluate: 2/4 rows, mean 0.500, 1 failed, 0.4 rows/s\n"+
			"evaluate: 4/4 rows, mean 0.750, 1 failed, 0.4 rows/s\n", b.String())
	})
}

func TestTerminalProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newProgress(&b, 3)
		p.terminal = true
		for range 3 {
			time.Sleep(60 * time.Millisecond)
			p.row(1, false)
		}
		p.end()
		lines := strings.Split(b.String(), "\r\x1b[K")
		assert.Equal(t, []string{
			"", "evaluate: 2/3 rows, mean 1.000, 16.7 rows/s", "evaluate: 3/3 rows, mean 1.000, 16.7 rows/s\n",
		}, lines)
	})
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no") }

func TestProgressEdges(t *testing.T) {
	t.Parallel()
	var silent *progress
	silent.row(1, false)
	silent.end()
	assert.Nil(t, newProgress(nil, 3))
	p := newProgress(brokenWriter{}, 1)
	p.row(1, false)
	p.end()

	f, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer f.Close()
	assert.False(t, isTerminal(f))
	assert.False(t, isTerminal(&bytes.Buffer{}))
}
