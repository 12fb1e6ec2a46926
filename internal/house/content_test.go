package house_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// maxLines is how long a Go file may be: one concept fits.
const maxLines = 400

// long lists the Go files that may be longer, each with the reason.
var long = map[string]string{}

// hosts are registries of packages. They are reached through their ordinary
// clients, which know where they are, and may be mirrored; so no file names one, and
// this one puts them together.
var hosts = [][]byte{
	host("pypi", "org"), host("pythonhosted", "org"), host("proxy", "golang", "org"), host("sum", "golang", "org"),
	host("registry", "npmjs", "org"), host("crates", "io"),
}

func host(labels ...string) []byte { return []byte(strings.Join(labels, ".")) }

// unfinished are the marks of what is not done, put together for the same reason.
var unfinished = []string{"TO" + "DO", "FIX" + "ME", "X" + "XX"}

// undone is what somebody meant to do later: that belongs into an issue. A
// function's name, behind a dot, is none.
var undone = regexp.MustCompile(`(^|[^.|\w])(` + strings.Join(unfinished, "|") + `)\b`)

// TestContent is what no file may contain.
func TestContent(t *testing.T) {
	t.Parallel()
	files := tree(t)
	for _, f := range files {
		for _, problem := range contentProblems(f) {
			t.Error(problem)
		}
	}
	if len(files) < 100 {
		t.Fatalf("only %d files were seen, so the test saw nothing", len(files))
	}
	for name, reason := range long {
		if reason == "" {
			t.Errorf("%s may be long without a reason", name)
		}
	}
}

func contentProblems(f file) []string {
	var problems []string
	add := func(line int, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s:%d: ", f.path, line)+fmt.Sprintf(format, args...))
	}
	lineOf := func(at int) int { return 1 + bytes.Count(f.data[:at], []byte("\n")) }
	for _, host := range hosts {
		if at := bytes.Index(f.data, host); at >= 0 {
			add(lineOf(at), "names the registry %s; use its client", host)
		}
	}
	if !f.isTestdata() {
		if m := undone.FindSubmatchIndex(f.data); m != nil {
			add(lineOf(m[4]), "has a %s; open an issue", f.data[m[4]:m[5]])
		}
	}
	if !f.isGo() {
		return problems
	}
	if n := bytes.Count(f.data, []byte("\n")); n > maxLines && long[f.path] == "" {
		add(n, "the file has more than %d lines; split it by concept, or list it with a reason", maxLines)
	}
	if f.isTest() || f.isProgram() {
		return problems
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, f.path, f.data, parser.SkipObjectResolution)
	if err != nil {
		add(1, "%v", err)
		return problems
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "context" && (sel.Sel.Name == "Background" || sel.Sel.Name == unfinished[0]) {
				add(set.Position(n.Pos()).Line, "context.%s in a library; pass the caller's context on", sel.Sel.Name)
			}
		}
		return true
	})
	return problems
}

func TestContentProblems(t *testing.T) {
	t.Parallel()
	pypi, proxy := string(hosts[0]), string(hosts[2])
	fetch := "pip download x # from https://" + pypi + "/simple"
	background := "package p\n\nimport \"context\"\n\nvar ctx = context.Background()\n"
	lines := "package p\n" + strings.Repeat("\n", maxLines)
	for _, tt := range []struct{ path, data, want string }{
		{"scripts/setup", fetch, "scripts/setup:1: names the registry " + pypi},
		{"module/testdata/a.txt", fetch, "registry"},
		{"a.md", "GOPROXY is " + proxy, "registry " + proxy},
		{"a.md", "pip, golang.org and pypi", ""},
		{"a.go", "package p\n// " + unfinished[0] + ": more", "a.go:2: has a " + unfinished[0]},
		{"a.c", "int x; // " + unfinished[1], "has a " + unfinished[1]},
		{"adapter/testdata/a.txt", unfinished[0], ""},
		{"lm/a.go", background, "lm/a.go:5: context.Background in a library"},
		{"lm/a.go", strings.Replace(background, "Background", unfinished[0], 1), "context." + unfinished[0] + " in a library"},
		{"lm/a.go", "package p\n\n// context.Background() is for callers.\n", ""},
		{"lm/a_test.go", background, ""},
		{"examples/x/main.go", background, ""},
		{"internal/x/main.go", strings.Replace(background, "package p", "package main", 1), ""},
		{"lm/a.go", lines, "more than 400 lines"},
		{"lm/a_test.go", lines, "more than 400 lines"},
		{"lm/a.py", lines, ""},
		{"lm/a.go", "package", "lm/a.go:1: "},
	} {
		got := strings.Join(contentProblems(file{tt.path, []byte(tt.data)}), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s holding %.60q: %q, want %q", tt.path, tt.data, got, tt.want)
		}
	}
}
