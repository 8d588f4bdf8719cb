package jobrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kiln.dev/programs/joboutput"
	"kiln.dev/programs/jobprotocol"
)

const (
	firstPause  = 500 * time.Millisecond
	longestWait = 15 * time.Second
	postTime    = 10 * time.Second
)

// mostAttempts bounds the attempts of a job that has no timeout.
const mostAttempts = 12

// post sends the result to RESULT_URL, at least once, with a key by which the other side knows the second from the first. The
// file stays as it is but for how this went; a result that nobody took changes nothing about the job.
func (j *job) post(ctx context.Context) error {
	if j.settings.ResultURL == "" {
		return nil
	}
	text, err := j.report.document()
	if err != nil {
		return err
	}
	posted := &jobprotocol.Posted{}
	for pause := firstPause; ; pause = min(2*pause, longestWait) {
		posted.Attempts++
		wait, again := j.postOnce(ctx, text, posted)
		if posted.Delivered || !again || posted.Attempts == mostAttempts || !sleep(ctx, max(pause, wait)) {
			break
		}
	}
	posted.Error = joboutput.Printable(j.redactor.String(posted.Error))
	if !posted.Delivered {
		j.record.Note("the result is not delivered: %s", posted.Error)
	}
	j.report.result.Posted = posted
	return j.report.write()
}

// postOnce is one attempt, and returns whether another has a point, and how long the other side asks to wait.
func (j *job) postOnce(ctx context.Context, text []byte, posted *jobprotocol.Posted) (time.Duration, bool) {
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, j.settings.ResultURL, bytes.NewReader(text))
	if err != nil {
		posted.Error = err.Error()
		return 0, false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", j.settings.JobID+"-"+strconv.Itoa(j.settings.Attempt))
	if token := j.channel.ResultToken; token != "" {
		if !jobprotocol.MayCarry(request.URL, j.settings.ResultInsecure) {
			posted.Error = "RESULT_URL is http, and the token would be read on the way: use https, or set KILN_RESULT_INSECURE=1"
			return 0, false
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := poster.Do(request)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		posted.Error = err.Error()
		return 0, true
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // only the status counts
	posted.Status = response.StatusCode
	if response.StatusCode < 300 {
		posted.Delivered, posted.Error = true, ""
		return 0, false
	}
	posted.Error = fmt.Sprintf("RESULT_URL answers with %d", response.StatusCode)
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // a date, or nothing, is no wish
	return min(time.Duration(max(seconds, 0))*time.Second, longestWait), passing(response.StatusCode)
}

// A redirect would take the token along, wherever it leads.
var poster = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
