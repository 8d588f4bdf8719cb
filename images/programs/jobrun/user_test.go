package jobrun

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownedBy has the job, its script and all their files be of a user who is not root.
func (c *container) ownedBy(uid int) {
	c.t.Helper()
	c.set("KILN_TEST_UID=" + strconv.Itoa(uid))
	if os.Getuid() != 0 {
		return
	}
	must(c.t, os.Chown(filepath.Dir(c.root), uid, uid))
	must(c.t, filepath.WalkDir(c.root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, uid))
	}))
}

// becomeUser gives up what root may do beyond modes and owners.
func becomeUser(uid string) {
	if uid == "" || os.Getuid() != 0 {
		return
	}
	number, err := strconv.Atoi(uid)
	if err = errors.Join(err, syscall.Setgroups(nil), syscall.Setgid(number), syscall.Setuid(number)); err != nil {
		panic(err)
	}
}
