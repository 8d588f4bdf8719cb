package jobrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/jobvault"
	"kiln.dev/programs/strictjson"
)

// largestChannel is how much the secret channel may hold, and largestToken a service account's token.
const (
	largestChannel = 64 << 20
	largestToken   = 1 << 20
)

// readChannel reads the secret channel to its end, where there is one, and has its values be secret.
func (j *job) readChannel() (jobprotocol.Channel, error) {
	if !j.settings.SecretChannel {
		return jobprotocol.Channel{Parameters: strictjson.NewObject()}, nil
	}
	source := j.stdin
	if file := j.settings.SecretsFile; file != "" {
		opened, err := j.openSecrets(file)
		if err != nil {
			return jobprotocol.Channel{}, jobprotocol.Fail(jobprotocol.BadRequest, "the secret channel cannot be read: %v", err)
		}
		defer opened.Close()
		source = opened
	}
	text, err := io.ReadAll(io.LimitReader(source, largestChannel+1))
	if err == nil && len(text) > largestChannel {
		err = errors.New("it is longer than 64 MiB")
	}
	if err != nil {
		return jobprotocol.Channel{}, fmt.Errorf("read the secret channel: %w", err)
	}
	channel, err := jobprotocol.ParseChannel(text)
	if err != nil {
		return channel, jobprotocol.Fail(jobprotocol.BadRequest, "secret channel: %v", err)
	}
	j.redactor.Add(channel.Values...)
	return channel, nil
}

// openSecrets opens a file of secrets. Where they may be read once it has no name any more: the script is the same user, and would
// read them too.
func (j *job) openSecrets(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil || !j.settings.SecretsOnce {
		return file, err
	}
	if err := os.Remove(path); err != nil {
		file.Close()
		return nil, fmt.Errorf("KILN_SECRETS is once, and the file cannot be removed: %w", err)
	}
	return file, nil
}

// borrowed is what Vault gave for the time of the job.
type borrowed struct {
	session     *jobvault.Session
	environment []string
}

// borrow takes secrets from Vault, as late as it can: nothing is borrowed for a job that could not run anyway.
func (j *job) borrow(ctx context.Context) error {
	how := j.settings.Vault
	if how == nil {
		return nil
	}
	if err := j.report.enter(jobprotocol.Secrets); err != nil {
		return err
	}
	s := j.settings
	client, err := jobvault.New(s.VaultAddress, s.VaultNamespace, s.VaultCertificate, s.VaultInsecure)
	if err != nil {
		return err
	}
	proof, err := j.vaultProof(*how)
	if err != nil {
		return err
	}
	if j.borrowed.session, err = client.Login(ctx, *how, proof, j.redactor); err != nil {
		return stoppedOr(ctx, err)
	}
	token, err := j.writeSecret("vault", "token", "token", []byte(j.borrowed.session.Token))
	if err != nil {
		return fmt.Errorf("write the token of Vault: %w", err)
	}
	values, err := j.borrowed.session.Read(ctx, how.Secrets, j.redactor)
	if err != nil {
		return stoppedOr(ctx, err)
	}
	j.borrowed.environment = []string{"KILN_VAULT_TOKEN_FILE=" + token}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := values[name]
		if how.Secrets[name].As == "file" {
			if text, err = j.writeSecret("vault", name, strings.ToLower(name), []byte(text)); err != nil {
				return fmt.Errorf("write a secret of Vault: %w", err)
			}
		} else if strings.Contains(text, "\x00") {
			return jobprotocol.Fail(jobprotocol.VaultFailed, "%s has a NUL in it, which no variable can have: take it as a file", name)
		}
		j.borrowed.environment = append(j.borrowed.environment, name+"="+text)
	}
	return nil
}

// vaultProof is the login of the secret channel, and with it the token of the pod's service account where that may be read once.
func (j *job) vaultProof(how jobprotocol.Vault) (jobprotocol.VaultLogin, error) {
	proof := j.channel.Vault
	if !j.settings.SecretsOnce || how.Auth != jobprotocol.Kubernetes || how.JWTFile == "" || proof.JWT != "" {
		return proof, nil
	}
	file, err := j.openSecrets(how.JWTFile)
	if err != nil {
		return proof, jobprotocol.Fail(jobprotocol.BadRequest, "KILN_VAULT: auth kubernetes: %v", err)
	}
	defer file.Close()
	token, err := io.ReadAll(io.LimitReader(file, largestToken))
	if err != nil {
		return proof, fmt.Errorf("read the token of the service account: %w", err)
	}
	proof.JWT = string(token)
	j.redactor.Add(proof.JWT)
	return proof, nil
}

// stoppedOr is why the job was stopped, where it was, and otherwise the error that shows.
func stoppedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// giveBack revokes the token, on every ending. Where that fails, Vault does it when the token's time is over.
func (j *job) giveBack(ctx context.Context) {
	if j.borrowed.session == nil {
		return
	}
	if err := j.borrowed.session.Close(ctx); err != nil {
		j.record.Note("the token of Vault is not revoked, and ends by itself: %v", err)
	}
}
