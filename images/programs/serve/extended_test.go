//go:build extended

package serve

import "testing"

func TestAThousandRandomEdits(t *testing.T) { compareBuilds(t, 1000, 2) }

func TestAThousandReplayedEdits(t *testing.T) { replay(t, 1000, 3) }

func TestAHundredKills(t *testing.T) { killBuilds(t, 100, 4) }
