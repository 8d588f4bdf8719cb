package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The fake tools change one thing, which is a file: cloud/thing.json holds what the inputs said.

func behaves(how string) bool {
	return slices.Contains(strings.Split(os.Getenv("KILN_FAKE"), ","), how)
}

func noteCall(tool string, arguments []string) {
	file, err := os.OpenFile(os.Getenv("KILN_FAKE_CALLS"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintf(file, "%s %q\n", tool, arguments)
		file.Close()
	}
}

func thing() string { return filepath.Join(os.Getenv("KILN_FAKE_CLOUD"), "thing.json") }

func readThing() map[string]any {
	text, err := os.ReadFile(thing())
	if err != nil {
		return nil
	}
	return object(text)
}

func object(text []byte) map[string]any {
	var value map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	return value
}

func jsonText(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

// misbehave does what a tool may do between its start and its end; it returns an exit code where it ends the tool.
func misbehave() int {
	if behaves("leak") {
		token := os.Getenv("APP_TOKEN")
		fmt.Println("the token is " + token)
		fmt.Print("in two writes: " + token[:3])
		time.Sleep(30 * time.Millisecond)
		fmt.Println(token[3:])
		fmt.Println("coloured: " + token[:5] + "\x1b[1m" + token[5:] + "\x1b[0m")
		fmt.Fprintln(os.Stderr, "basic "+base64.StdEncoding.EncodeToString([]byte("user:"+token)))
		fmt.Fprintln(os.Stderr, jsonText(token))
		if file, err := os.ReadFile(os.Getenv("APP_KEY_FILE")); err == nil {
			fmt.Println(string(file))
		}
	}
	if behaves("orphan") {
		cmd := exec.Command("/proc/self/exe", "sleep")
		cmd.Args[0], cmd.SysProcAttr = "tofu", &syscall.SysProcAttr{Setsid: true}
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		fmt.Println("orphan", cmd.Process.Pid)
	}
	if behaves("hang") || behaves("slow") {
		parent, signals := os.Getppid(), make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGINT)
		fmt.Println("ready")
		for waiting, limit := true, time.Now().Add(20*time.Second); waiting; {
			if time.Now().After(limit) {
				return 99
			}
			select {
			case <-signals:
				waiting = false
			case <-time.After(100 * time.Millisecond):
				if os.Getppid() != parent { // killed, as a container's first process never is without the rest
					return 99
				}
			}
		}
		if behaves("slow") {
			time.Sleep(300 * time.Millisecond)
		}
		fmt.Println("state saved")
		return 8
	}
	if behaves("deaf") {
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Minute)
	}
	return 0
}

// lockedBuffer is read while it is written.
type lockedBuffer struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.Write(text)
}

func (b *lockedBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.String()
}

// flagsOf splits arguments: -name=value and --name value (of those that have one) are flags, the rest words.
func flagsOf(arguments []string, valued ...string) (flags map[string]string, words []string) {
	flags = map[string]string{}
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		switch name, value, joined := strings.Cut(argument, "="); {
		case argument == "--":
			return flags, append(words, arguments[i+1:]...)
		case !strings.HasPrefix(argument, "-"):
			words = append(words, argument)
		case joined:
			flags[strings.TrimLeft(name, "-")] = value
		case slices.Contains(valued, strings.TrimLeft(argument, "-")):
			i++
			flags[strings.TrimLeft(argument, "-")] = arguments[i]
		default:
			flags[strings.TrimLeft(argument, "-")] = "true"
		}
	}
	return flags, words
}
