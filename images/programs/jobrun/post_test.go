package jobrun

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// receiver takes results, after some answers of another kind.
type receiver struct {
	lock    sync.Mutex
	answers []int
	keys    []string
	bodies  []string
	tokens  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.lock.Lock()
	defer r.lock.Unlock()
	body, _ := io.ReadAll(q.Body)
	r.keys, r.bodies = append(r.keys, q.Header.Get("Idempotency-Key")), append(r.bodies, string(body))
	r.tokens = append(r.tokens, q.Header.Get("Authorization"))
	status := 200
	if len(r.answers) > 0 {
		status, r.answers = r.answers[0], r.answers[1:]
	}
	if status == 307 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

func TestPost(t *testing.T) {
	for name, e := range map[string]struct {
		answers   []int
		delivered bool
		attempts  int
	}{
		"at once": {nil, true, 1}, "again": {[]int{503}, true, 2}, "refused": {[]int{400, 200}, false, 1}, "redirected": {[]int{307, 200}, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{answers: e.answers}
			server := httptest.NewServer(r)
			defer server.Close()
			c := newContainer(t, "exit 3\n")
			c.set("RESULT_URL="+server.URL+"/results", "JOB_ATTEMPT=2")
			c.secrets = map[string]any{"result_token": "result-token-1"}
			o := c.expect("failed", "script_failed", 3)
			p := o.result.Posted
			if p == nil || p.Delivered != e.delivered || p.Attempts != e.attempts || len(r.bodies) != e.attempts {
				t.Fatalf("%+v %d", p, len(r.bodies))
			}
			if r.keys[0] != "job-1-2" || r.tokens[0] != "Bearer result-token-1" || !strings.Contains(r.bodies[0], `"exit_code": 3`) {
				t.Error(r.keys, r.tokens, r.bodies[0])
			}
			if strings.Contains(everything(t, c, o), "result-token-1") {
				t.Error("the token is left")
			}
		})
	}
}

// TestPostToNobody: the job's time bounds the attempts, and its status stays what it was.
func TestPostToNobody(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "exit 0\n")
	c.set("RESULT_URL=http://127.0.0.1:1/", "KILN_JOB_TIMEOUT=3")
	if o := c.expect("succeeded", "", 0); o.result.Posted == nil || o.result.Posted.Delivered || o.result.Posted.Attempts < 2 {
		t.Errorf("%+v", o.result.Posted)
	}
	c = newContainer(t, "exit 0\n")
	c.set("RESULT_URL=http://192.0.2.1/")
	c.secrets = map[string]any{"result_token": "result-token-1"}
	if o := c.expect("succeeded", "", 0); o.result.Posted.Attempts != 1 || !strings.Contains(o.result.Posted.Error, "KILN_RESULT_INSECURE") {
		t.Errorf("%+v", o.result.Posted)
	}
}
