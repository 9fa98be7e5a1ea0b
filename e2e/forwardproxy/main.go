// Command forwardproxy is a company's HTTP proxy, for tests: it takes every request, says on stdout for which host
// it was, and has no way out, as behind a firewall.
package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"
)

func main() {
	var mu sync.Mutex
	err := http.ListenAndServe(":3128", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		fmt.Println("asked for", r.Host)
		mu.Unlock()
		http.Error(w, "no way out", http.StatusBadGateway)
	}))
	fmt.Fprintln(os.Stderr, "forwardproxy:", err)
	os.Exit(1)
}
