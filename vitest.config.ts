import { defineConfig } from "vitest/config";

/** Three pyramids of one suite: `unit` needs nothing, `engine` the Pulumi CLI, `e2e` Docker, a registry and real compiles. */
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
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/local-stack.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 2_700_000,
        },
      },
    ],
  },
});
