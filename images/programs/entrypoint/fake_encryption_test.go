package main

import (
	"encoding/base64"
	"testing"
)

// encrypted is a state as OpenTofu writes it where the module has an encryption block: lineage and serial stay readable.
func encrypted(state map[string]any) map[string]any {
	if !behaves("encrypted") {
		return state
	}
	return map[string]any{
		"lineage": state["lineage"], "serial": state["serial"], "meta": map[string]any{}, "encryption_version": "v0",
		"encrypted_data": base64.StdEncoding.EncodeToString([]byte(jsonText(state))),
	}
}

func decrypted(text []byte) []byte {
	data, sealed := object(text)["encrypted_data"].(string)
	if !sealed {
		return text
	}
	state, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err)
	}
	return state
}

// TestEncryptedState: outputs of a state that OpenTofu itself encrypts are those that it prints, and none becomes null.
func TestEncryptedState(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "opentofu")
	applied := c.succeed(request("apply"), "encrypted").response
	if string(applied.Outputs["answer"].Value) != "42" || open(t, "password", applied.Outputs["password"].Encrypted) != `"made-by-the-tool"` {
		t.Errorf("%+v", applied.Outputs)
	}
	again := c.succeed(request("apply", "state", applied.State), "encrypted").response
	if again.Summary.Differs() || string(again.State) != string(applied.State) || string(again.Outputs["answer"].Value) != "42" {
		t.Errorf("%+v", again)
	}
}
