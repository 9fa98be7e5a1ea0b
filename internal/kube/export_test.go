package kube

import "net/http"

// Limited makes a request whose answer is bounded as a Client's are.
func Limited(next http.RoundTripper, url string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return limited{next}.RoundTrip(req)
}
