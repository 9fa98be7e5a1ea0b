// Probe journals two acts in $LABCTL_HOME and prints what it does between the records, so that a test
// can see where a build with the tag killpoints was killed.
package main

import (
	"fmt"
	"os"

	"github.com/labctl/labctl/internal/state"
)

func main() {
	j, err := state.Home{Dir: os.Args[1]}.Lab("demo").OpenJournal()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, verb := range []string{"one", "two"} {
		p, err := j.Begin(state.Act{Verb: verb})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("act", verb)
		if err := p.Done(nil); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("after", verb)
	}
}
