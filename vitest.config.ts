import { defineConfig } from "vitest/config";

/** Tests that run modules and jobs: images of their own, nothing of the bake that the other end-to-end tests share. */
const CONTAINERS = ["test/e2e/jobs/**/*.test.ts", "test/e2e/modules/**/*.test.ts"];

/**
 * Kinds of one suite: `unit` needs nothing, `engine` the Pulumi CLI, `containers` Docker, `e2e` a registry and real
 * compiles too.
 */
export default defineConfig({
  test: {
    pool: "forks",
    isolate: true,
    unstubEnvs: true,
    // The suite's repositories are small: it shall run where warming a large one would not begin.
    env: { KILN_MIN_FREE_GB: "2" },
    projects: [
      // A second is much for most; the whole program, or a workflow's shell steps, take several on a machine that does more.
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      {
        extends: true,
        // A hook builds the Kubernetes API server once a machine.
        test: { name: "engine", include: ["test/engine/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 1_800_000 },
      },
      {
        extends: true,
        test: {
          name: "containers",
          include: CONTAINERS,
          globalSetup: ["test/support/containers-engine.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 2_700_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: CONTAINERS,
          globalSetup: ["test/support/local-stack.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 2_700_000,
        },
      },
    ],
  },
});
