package jobrun

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/jobprotocol"
)

// TestDiskUse: files without a byte take up a disk too.
func TestDiskUse(t *testing.T) {
	folder := t.TempDir()
	for i := range 10 {
		must(t, os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), nil, 0o600))
	}
	if used, closed := diskUse(1<<30, folder, filepath.Join(folder, "none")); closed || used < 11*leastEntry || used > 12*leastEntry {
		t.Error(used)
	}
	if used, _ := diskUse(leastEntry, folder); used > 2*leastEntry {
		t.Error("it is counted on beyond the limit:", used)
	}
}

// TestDeafFiller: a script that fills the disk has no grace to go on with it.
func TestDeafFiller(t *testing.T) {
	t.Parallel()
	c := newContainer(t, leave+"trap '' TERM; echo ready; head -c 3000000 /dev/zero > big; sync big; while :; do sleep 0.1; done\n")
	c.set("KILN_DISK_BYTES=1000000", "KILN_GRACE_SECONDS=60")
	o := c.expect("failed", jobprotocol.DiskLimit, 1)
	if o.took > 15*time.Second || *o.result.ExitCode != 137 {
		t.Error(o.took, *o.result.ExitCode)
	}
}

// TestFullHome: what tools keep in the script's home takes the same disk, and counts.
func TestFullHome(t *testing.T) {
	t.Parallel()
	c := newContainer(t, leave+"head -c 3000000 /dev/zero > $HOME/cache; sync $HOME/cache; sleep 30\n")
	c.set("KILN_DISK_BYTES=1000000", "HOME=/proc")
	hasArtifact(t, c, c.expect("failed", jobprotocol.DiskLimit, 1))
}

// TestUnseenFile: what a script writes to a file that it has removed is in no folder, and must not fill the disk all the same.
func TestUnseenFile(t *testing.T) {
	t.Parallel()
	c := newContainer(t, leave+"exec 3> $OUT/unseen; rm $OUT/unseen; head -c 48000000 /dev/zero >&3; sleep 30\n")
	disk := filepath.Join(c.root, "disk")
	must(t, os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skip("no small disk can be mounted here:", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	c.set("OUT="+disk+"/output", "KILN_OUTPUT_DIR="+disk+"/output", "KILN_DISK_BYTES=200000000")
	must(t, os.RemoveAll(filepath.Join(c.root, "output")))
	must(t, os.Symlink(disk+"/output", filepath.Join(c.root, "output")))
	hasArtifact(t, c, c.expect("failed", jobprotocol.DiskLimit, 1))
}
