import type { ProgramImage } from "./program-image.ts";

/** What holds the namespaces of a pod. Nothing pulls it: it is made here. */
export const PAUSE: ProgramImage = {
  reference: "docker.io/kiln-test/pause:1",
  program: "pause",
  source: `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
}
`,
};
