import { ARC_VERSION } from "../../runners/controller/arc.ts";
import type { ProgramImage } from "./program-image.ts";

/**
 * Stands in for the image of actions-runner-controller on a node, under its name: a manager that is healthy and does nothing.
 * What the real one does towards the API server, runner-controller-stand-in.ts does.
 */
export const MANAGER: ProgramImage = {
  reference: `ghcr.io/actions/gha-runner-scale-set-controller:${ARC_VERSION}`,
  program: "manager",
  source: `package main

import "net/http"

func main() {
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	panic(http.ListenAndServe(":8081", nil))
}
`,
};
