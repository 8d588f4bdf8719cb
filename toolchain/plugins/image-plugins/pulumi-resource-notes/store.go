package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// errGone says that there is no note of a name.
var errGone = errors.New("no such note")

// store is where notes are: the outside that a run changes and a refresh looks at.
type store interface {
	read(name string) ([]byte, error)
	write(name string, content []byte) error
	remove(name string) error
}

// openStore gives the folder, or the server, that an address means.
func openStore(address string) store {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return server{address: strings.TrimRight(address, "/"), client: &http.Client{Timeout: 30 * time.Second}}
	}
	return folder(address)
}

type folder string

func (one folder) file(name string) string { return filepath.Join(string(one), name+".json") }

func (one folder) read(name string) ([]byte, error) {
	content, err := os.ReadFile(one.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	return content, err
}

func (one folder) write(name string, content []byte) error {
	if err := os.MkdirAll(string(one), 0o755); err != nil {
		return err
	}
	return os.WriteFile(one.file(name), content, 0o644)
}

func (one folder) remove(name string) error {
	if err := os.Remove(one.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

type server struct {
	address string
	client  *http.Client
}

func (one server) read(name string) ([]byte, error) { return one.ask(http.MethodGet, name, nil) }

func (one server) write(name string, content []byte) error {
	_, err := one.ask(http.MethodPut, name, content)
	return err
}

func (one server) remove(name string) error {
	if _, err := one.ask(http.MethodDelete, name, nil); err != nil && !errors.Is(err, errGone) {
		return err
	}
	return nil
}

func (one server) ask(method, name string, content []byte) ([]byte, error) {
	request, err := http.NewRequest(method, one.address+"/"+name, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	response, err := one.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusNotFound:
		return nil, errGone
	case response.StatusCode >= 300:
		return nil, fmt.Errorf("%s %s answered %s", method, request.URL.Redacted(), response.Status)
	}
	return answer, nil
}
