package pulumitool

import (
	"context"
	"os"
	"slices"
	"strings"

	"kiln.dev/programs/moduleprotocol"
)

// withHead puts the encryption salt of the carried state into a config file, in place of what the file says about secrets.
func withHead(text, salt string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		key, _, _ := strings.Cut(line, ":")
		if !slices.Contains(headKeys, key) {
			kept.WriteString(line)
		}
	}
	if salt != "" {
		return "encryptionsalt: " + quote(salt) + "\n" + kept.String()
	}
	return kept.String()
}

// writeConfig writes the inputs as config of the stack, beside what the module's own file for this stack says.
func (t *Tool) writeConfig(ctx context.Context, own string) error {
	settings, err := settingsOf(t.project, t.job.Inputs, t.job.Secret)
	if err != nil {
		return err
	}
	h, plain := readHead(own)
	if !plain {
		// Only the CLI can merge into a file with contents: a start of it for each input.
		if err := os.WriteFile(t.config, []byte(own), 0o600); err != nil {
			return err
		}
		return t.setEach(ctx, settings)
	}
	direct, indirect := settings, []setting(nil)
	if t.job.StateMode == moduleprotocol.Remote {
		// Only the CLI has the key of a remote stack.
		direct = slices.DeleteFunc(slices.Clone(settings), func(s setting) bool { return s.Secret })
		indirect = slices.DeleteFunc(slices.Clone(settings), func(s setting) bool { return !s.Secret })
	} else if slices.ContainsFunc(settings, func(s setting) bool { return s.Secret }) {
		if err := t.openCrypter(h); err != nil {
			return err
		}
		h = head{{"encryptionsalt", t.crypter.salt}}
	}
	text, err := configFile(h, direct, func(value string) (string, error) { return t.crypter.encrypt(value) })
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.config, []byte(text), 0o600); err != nil {
		return err
	}
	return t.setEach(ctx, indirect)
}

// openCrypter derives the key of the carried state's secrets, which takes a fifth of a second: only where it is needed.
func (t *Tool) openCrypter(h head) (err error) {
	t.crypting.Lock()
	defer t.crypting.Unlock()
	if t.crypter != nil {
		return nil
	}
	for _, entry := range h {
		if entry[0] == "encryptionsalt" {
			if t.crypter, err = openCrypter(t.job.Passphrase, entry[1]); err != nil {
				return moduleprotocol.Fail(moduleprotocol.StateKeyWrong, "%v", err)
			}
			return nil
		}
	}
	t.crypter, err = newCrypter(t.job.Passphrase)
	return err
}

// setEach gives values to the CLI on its standard input: never on a command line, where they could be read, or taken for flags.
func (t *Tool) setEach(ctx context.Context, settings []setting) error {
	for _, s := range settings {
		kind := "--plaintext"
		if s.Secret {
			kind = "--secret"
		}
		command := t.command("config", "set", kind, "--path=false", "--stack", t.job.Stack, "--config-file", t.config,
			"--non-interactive", "-C", t.job.Module, "--", s.Key)
		command.Input = strings.NewReader(s.Value + "\n") // the CLI takes one line end off, whoever wrote it
		if _, err := t.read(ctx, command); err != nil {
			return err
		}
	}
	return nil
}
