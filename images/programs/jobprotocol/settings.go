package jobprotocol

import (
	"cmp"
	"encoding/json"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Settings are what the environment says, with defaults.
type Settings struct {
	JobID, ScriptID  string
	Attempt          int
	Parameters       string
	ParametersFile   string
	Repository       string
	Commit           string
	GitProtocols     []string
	Scripts, Output  string
	Work, Artifacts  string
	EventsOnStdout   bool
	SecretChannel    bool
	SecretsFile      string
	SecretsOnce      bool
	PrintsOutput     bool
	ScriptTimeout    time.Duration
	IdleTimeout      time.Duration
	JobTimeout       time.Duration
	Grace, Finish    time.Duration
	OutputBytes      int64
	ArtifactBytes    int64
	ArtifactFile     int64
	ArtifactCount    int64
	DiskBytes        int64
	ResultURL        string
	ResultInsecure   bool
	Vault            *Vault
	VaultAddress     string
	VaultNamespace   string
	VaultCertificate string
	VaultInsecure    bool
}

var (
	jobID    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	protocol = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
)

// ReadSettings reads the environment. They are returned as far as they could be read, so that a result can name its job.
func ReadSettings(env func(string) string) (Settings, error) {
	r := &settingsReader{env: env}
	s := Settings{
		JobID: env("JOB_ID"), ScriptID: env("SCRIPT_ID"), Attempt: int(r.count("JOB_ATTEMPT", 1)),
		Parameters: env("PARAMETERS"), ParametersFile: env("PARAMETERS_FILE"),
		Repository: env("SCRIPT_REPO"), Commit: env("SCRIPT_REF"),
		GitProtocols: strings.Split(cmp.Or(env("KILN_GIT_PROTOCOLS"), "https,ssh,file"), ","),
		Scripts:      r.folder("KILN_SCRIPTS_DIR", "/workspace/scripts"), Output: r.folder("KILN_OUTPUT_DIR", "/workspace/output"),
		Work: r.folder("KILN_WORK_DIR", "/workspace"), Artifacts: r.folder("ARTIFACTS_DIR", ""),
		EventsOnStdout: env("KILN_EVENTS") == "1",
		PrintsOutput:   env("KILN_EVENTS") == "1" && env("KILN_OUTPUT") == "stdout",
		ScriptTimeout:  r.seconds("KILN_SCRIPT_TIMEOUT", 0), IdleTimeout: r.seconds("KILN_IDLE_TIMEOUT", 0),
		JobTimeout: r.seconds("KILN_JOB_TIMEOUT", 0), Grace: r.seconds("KILN_GRACE_SECONDS", 10*time.Second),
		Finish:      r.seconds("KILN_FINISH_SECONDS", 10*time.Second),
		OutputBytes: r.count("KILN_OUTPUT_BYTES", 64<<20), ArtifactBytes: r.count("KILN_ARTIFACT_BYTES", 1<<30),
		ArtifactFile: r.count("KILN_ARTIFACT_FILE_BYTES", 512<<20), ArtifactCount: r.count("KILN_ARTIFACT_COUNT", 1000),
		DiskBytes: r.count("KILN_DISK_BYTES", 0), ResultURL: env("RESULT_URL"), ResultInsecure: env("KILN_RESULT_INSECURE") == "1",
		VaultAddress: env("VAULT_ADDR"), VaultNamespace: env("VAULT_NAMESPACE"), VaultCertificate: env("VAULT_CACERT"),
		VaultInsecure: env("KILN_VAULT_INSECURE") == "1",
	}
	s.check(r)
	if r.failure == nil {
		return s, nil
	}
	return s, r.failure
}

func (s *Settings) check(r *settingsReader) {
	switch channel := r.env("KILN_SECRETS"); channel {
	case "", "stdin":
		s.SecretChannel = channel == "stdin"
	case "file", "once":
		s.SecretChannel, s.SecretsFile = true, r.folder("KILN_SECRETS_FILE", "/run/kiln-secrets/secrets.json")
		s.SecretsOnce = channel == "once"
	default:
		r.refuse("KILN_SECRETS is %q: there are stdin, file and once", channel)
	}
	if !jobID.MatchString(s.JobID) {
		r.refuse("JOB_ID is %q: it has to be up to 128 letters, digits and ._-, and begin with a letter or digit", s.JobID)
	}
	if s.Attempt < 1 {
		r.refuse("JOB_ATTEMPT counts from 1")
	}
	if s.Parameters != "" && s.ParametersFile != "" {
		r.refuse("PARAMETERS and PARAMETERS_FILE are both set: one of them says what the parameters are")
	}
	if (s.Repository == "") != (s.Commit == "") {
		r.refuse("SCRIPT_REPO and SCRIPT_REF go together: a repository, and a commit of it")
	}
	for _, name := range s.GitProtocols {
		if !protocol.MatchString(name) || name == "ext" || name == "fd" {
			r.refuse("KILN_GIT_PROTOCOLS has %q, which is no protocol that a repository may be fetched by", name)
		}
	}
	s.checkResultURL(r)
	s.Vault = readVault(r)
}

func (s *Settings) checkResultURL(r *settingsReader) {
	if s.ResultURL == "" {
		return
	}
	address, err := url.Parse(s.ResultURL)
	if err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" || address.User != nil {
		r.refuse("RESULT_URL has to be an http or https address without a user; the token goes through the secret channel")
		s.ResultURL = ""
	}
}

// MayCarry: a token may be sent to an address: nobody on the way can read it.
func MayCarry(address *url.URL, insecure bool) bool {
	host := address.Hostname()
	ip := net.ParseIP(host)
	return insecure || address.Scheme == "https" || host == "localhost" || ip != nil && ip.IsLoopback()
}

type settingsReader struct {
	env     func(string) string
	failure *Failure
}

// refuse keeps the first thing that is wrong.
func (r *settingsReader) refuse(format string, values ...any) {
	if r.failure == nil {
		r.failure = Fail(BadRequest, format, values...)
	}
}

func (r *settingsReader) seconds(name string, missing time.Duration) time.Duration {
	text := r.env(name)
	if text == "" {
		return missing
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds >= 0 && seconds <= 30*86400) {
		r.refuse("%s is %q: it has to be a number of seconds, up to 30 days", name, text)
		return missing
	}
	return time.Duration(seconds * float64(time.Second))
}

func (r *settingsReader) count(name string, missing int64) int64 {
	text := r.env(name)
	if text == "" {
		return missing
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || number > 1<<50 {
		r.refuse("%s is %q: it has to be a whole number", name, text)
		return missing
	}
	return number
}

func (r *settingsReader) folder(name, missing string) string {
	folder := cmp.Or(r.env(name), missing)
	if folder != "" && !filepath.IsAbs(folder) {
		r.refuse("%s is %q: it has to begin with /", name, folder)
	}
	return folder
}

// rawJSON decodes a variable strictly by its type.
func rawJSON(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	return decoder.Decode(into)
}
