// Package jobvault logs in to Vault, takes the secrets that a job names, and gives everything back. It speaks five calls of
// Vault's HTTP API itself: its client library would be larger than the rest of the program, which is copied into each image.
package jobvault

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"kiln.dev/programs/jobprotocol"
)

// Client calls one Vault.
type Client struct {
	address   *url.URL
	namespace string
	http      *http.Client
	// pause is how long it waits before it tries again, for the first time.
	pause time.Duration
}

const (
	callTime   = 20 * time.Second
	largest    = 8 << 20
	retries    = 3
	firstPause = 300 * time.Millisecond
)

// New returns a client. A token is sent in the clear only to this machine, or where that is allowed.
func New(address, namespace, certificate string, insecure bool) (*Client, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return nil, jobprotocol.Fail(jobprotocol.BadRequest, "VAULT_ADDR has to be an address such as https://vault.example.com:8200")
	}
	if !jobprotocol.MayCarry(parsed, insecure) {
		return nil, jobprotocol.Fail(jobprotocol.BadRequest,
			"VAULT_ADDR is http, and a token would be read on the way: use https, or set KILN_VAULT_INSECURE=1 in a network that nobody else is in")
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: callTime}
	if certificate != "" {
		text, err := os.ReadFile(certificate)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(text) {
			return nil, jobprotocol.Fail(jobprotocol.BadRequest, "VAULT_CACERT: there is no certificate in %s", certificate)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	// A redirect would take the token along, wherever it leads.
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{parsed, namespace, &http.Client{Transport: transport, Timeout: callTime, CheckRedirect: refuse}, firstPause}, nil
}

// answer is what all calls have in common.
type answer struct {
	LeaseID string         `json:"lease_id"`
	Data    map[string]any `json:"data"`
	Auth    *struct {
		ClientToken string `json:"client_token"`
	} `json:"auth"`
	Errors []string `json:"errors"`
}

// call does one call, and again where Vault or the way there has a moment's trouble. Errors have no value in them that was sent.
func (c *Client) call(ctx context.Context, method, path, token string, body any) (answer, error) {
	pause := c.pause
	for attempt := 1; ; attempt++ {
		got, again, err := c.once(ctx, method, path, token, body)
		if err == nil || !again || attempt == retries || ctx.Err() != nil {
			return got, err
		}
		select {
		case <-ctx.Done():
			return got, err
		case <-time.After(pause):
			pause *= 3
		}
	}
}

func (c *Client) once(ctx context.Context, method, path, token string, body any) (got answer, again bool, err error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return got, false, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.address.JoinPath("v1", path).String(), content)
	if err != nil {
		return got, false, err
	}
	request.Header.Set("X-Vault-Request", "true")
	if token != "" {
		request.Header.Set("X-Vault-Token", token)
	}
	if c.namespace != "" {
		request.Header.Set("X-Vault-Namespace", c.namespace)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return got, true, jobprotocol.Retry(jobprotocol.VaultFailed, "Vault cannot be reached: %v", withoutAddress(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err != nil {
		return got, true, jobprotocol.Retry(jobprotocol.VaultFailed, "the answer of Vault broke off: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	broken := len(text) > 0 && decoder.Decode(&got) != nil
	switch {
	case response.StatusCode >= 300:
		failure := jobprotocol.Fail(jobprotocol.VaultFailed, "Vault answers %s %s with %d%s", method, path, response.StatusCode, said(got.Errors))
		failure.Retryable = response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
		return got, failure.Retryable, failure
	case broken:
		return got, false, jobprotocol.Fail(jobprotocol.VaultFailed, "the answer to %s %s is none of Vault's", method, path)
	}
	return got, false, nil
}

func said(errors []string) string {
	if len(errors) == 0 {
		return ""
	}
	text := strings.Join(errors, "; ")
	return ": " + strings.ToValidUTF8(text[:min(len(text), 500)], "")
}

// withoutAddress is an error of the HTTP client without what was asked for.
func withoutAddress(err error) error {
	if at := (*url.Error)(nil); errors.As(err, &at) {
		return at.Err
	}
	return fmt.Errorf("%w", err)
}
