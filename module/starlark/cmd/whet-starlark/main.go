// Command whet-starlark is the child process of package module/starlark, for programs
// that cannot be their own: see starlark.Command. It is not for use by hand.
package main

import (
	"fmt"
	"os"

	"github.com/whetgo/whet/module/starlark"
)

func main() {
	starlark.Child()
	fmt.Fprintln(os.Stderr, "whet-starlark runs code for programs that use github.com/whetgo/whet/module/starlark, which start it: see starlark.Command")
	os.Exit(2) //nolint:forbidigo // a program
}
