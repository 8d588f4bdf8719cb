package plandigest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLoginVariables: what the executor takes for credentials is known here, whether secret or the path of a file.
func TestLoginVariables(t *testing.T) {
	const path = "../../../execution/module/credential-names.ts"
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("there is no %s: this module stands alone", path)
	}
	lists := regexp.MustCompile(`(?:secret|files): \[([^\]]*)\]`).FindAllStringSubmatch(string(text), -1)
	found := 0
	for _, list := range lists {
		for _, quoted := range regexp.MustCompile(`"[A-Z_0-9]+"`).FindAllString(list[1], -1) {
			name := strings.Trim(quoted, `"`)
			found++
			if slices.Contains(loginVariables, name) == slices.Contains(encryptionVariables, name) {
				t.Errorf("%s is not known as what it is", name)
			}
		}
	}
	if found < 20 {
		t.Error("the list is read no more:", found)
	}
}
