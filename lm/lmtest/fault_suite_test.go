package lmtest_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
)

// The suite measures the heap, so this test is not parallel.
func TestFaults(t *testing.T) {
	lmtest.Faults(t, backend(""))
}

// bugs says in which test of the suite a bug of the client must be found.
var bugs = map[string]string{
	"address":     "Address",
	"cancel":      "Cancel/before_the_header",
	"done":        "Stream/wrong/no_",
	"limit":       "Large/reply",
	"null":        "Body/content_is_null",
	"partial":     "StreamCut",
	"redirect":    "Redirect/307_to_another_host",
	"retry after": "RetryAfter/seconds",
	"secret":      "Secret/401",
	"status":      "Status/409",
	"untyped":     "Transport/reset_before_the_header",
	"UTF-8":       "Body/invalid_UTF-8",
}

// TestFaultsWithout leaves a group out, and is told of a name that no test has.
func TestFaultsWithout(t *testing.T) {
	t.Parallel()
	if _, child := os.LookupEnv("WHET_FAULTS_WITHOUT"); child {
		b := backend("limit") // which Large would find
		b.Without = map[string]string{"Large": "it takes all there is", "Stream/wrong/without end": "it takes all there is", "No such test": "it is not there"}
		lmtest.Faults(t, b)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultsWithout$", "-test.v")
	cmd.Env = append(os.Environ(), "WHET_FAULTS_WITHOUT=1")
	out, err := cmd.CombinedOutput()
	if failed := regexp.MustCompile(`--- FAIL: `).FindAll(out, -1); err == nil || len(failed) != 1 ||
		!regexp.MustCompile(`Without names "No such test"`).Match(out) || !regexp.MustCompile(`--- SKIP: TestFaultsWithout/Large`).Match(out) {
		t.Errorf("the suite ended with %v and %d failures, want that of the name alone\n%s", err, len(failed), out)
	}
}

// The suite runs in a process of its own, as it is meant to fail.
func TestFaultsFindBugs(t *testing.T) {
	t.Parallel()
	if bug, ok := os.LookupEnv("WHET_FAULTS_BUG"); ok {
		lmtest.Faults(t, backend(bug))
		return
	}
	for bug, test := range bugs {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultsFindBugs$/"+test, "-test.v")
			cmd.Env = append(os.Environ(), "WHET_FAULTS_BUG="+bug)
			out, err := cmd.CombinedOutput()
			if err == nil || !regexp.MustCompile(`--- FAIL: TestFaultsFindBugs/`+test).Match(out) {
				t.Errorf("the suite ended with %v, and %s has not failed\n%s", err, test, out)
			}
			if regexp.MustCompile(`(?m)^(panic:|fatal error:)|DATA RACE`).Match(out) {
				t.Errorf("the suite has broken down\n%s", out)
			}
		})
	}
}
