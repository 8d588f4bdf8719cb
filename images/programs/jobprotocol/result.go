package jobprotocol

// Statuses of a job.
const (
	Running     = "running"
	Succeeded   = "succeeded"
	Failed      = "failed"
	WasCanceled = "canceled"
	TimedOut    = "timed_out"
)

// Phases of a job, in their order.
const (
	Starting   = "starting"
	Secrets    = "secrets"
	Fetching   = "fetching"
	Executing  = "running"
	Collecting = "collecting"
	Done       = "done"
)

// Result is the document in result.json.
type Result struct {
	APIVersion string             `json:"api_version"`
	JobID      string             `json:"job_id"`
	Attempt    int                `json:"attempt"`
	ScriptID   string             `json:"script_id"`
	Status     string             `json:"status"`
	Phase      string             `json:"phase"`
	ExitCode   *int               `json:"exit_code"`
	StartedAt  string             `json:"started_at"`
	FinishedAt *string            `json:"finished_at"`
	Script     *Script            `json:"script,omitempty"`
	Artifacts  []Artifact         `json:"artifacts"`
	Refused    []Refusal          `json:"artifacts_refused,omitempty"`
	Output     *Output            `json:"output,omitempty"`
	Error      string             `json:"error,omitempty"`
	Detail     *Failure           `json:"error_detail,omitempty"`
	Notes      []string           `json:"notes,omitempty"`
	Timings    map[string]float64 `json:"timings,omitempty"`
	Posted     *Posted            `json:"posted,omitempty"`
}

// Script is what ran, and where it came from.
type Script struct {
	Language   string `json:"language"`
	Source     string `json:"source"`
	Repository string `json:"repository,omitempty"`
	Commit     string `json:"commit,omitempty"`
	SHA256     string `json:"sha256,omitempty"`
}

// Artifact is a file that the script left.
type Artifact struct {
	Name     string `json:"name"`
	Original []byte `json:"original_base64,omitempty"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
}

// Refusal is what the script left and is not kept.
type Refusal struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Output is how much the script wrote.
type Output struct {
	Stdout Stream `json:"stdout"`
	Stderr Stream `json:"stderr"`
}

// Stream is one of the two. Kept is what of it is in the log.
type Stream struct {
	Bytes     int64 `json:"bytes"`
	Kept      int64 `json:"kept"`
	Truncated bool  `json:"truncated"`
}

// Posted is whether the result reached its address.
type Posted struct {
	Delivered bool   `json:"delivered"`
	Attempts  int    `json:"attempts"`
	Status    int    `json:"status,omitempty"`
	Error     string `json:"error,omitempty"`
}
