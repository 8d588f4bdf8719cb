import { networkRun, type ModuleStages } from "./dockerfile-parts.ts";
import type { GoModule } from "./kind.ts";
import { plainWord } from "./plain-word.ts";

/**
 * Go: the program is built here, with the flags of Pulumi's own builds, so that the caches of a warm IaC runner image as
 * BUILD_IMAGE serve it. The image has neither Go nor modules.
 */
export function goStages(kind: GoModule): ModuleStages {
  const program = kind.package === "." ? "." : `./${plainWord("main", kind.package.replace(/^\.\//, ""))}`;
  return {
    base: "debian",
    build: "go",
    steps: [
      "COPY . .",
      ...networkRun(
        [
          "export CGO_ENABLED=0 GOTOOLCHAIN=local",
          `go build -buildvcs=false -trimpath '-ldflags=-w -s' -o /opt/kiln/bin/kiln-module ${program}`,
        ],
        { mounts: ["type=cache,target=/go/pkg/mod", "type=cache,target=/root/.cache/go-build"] },
      ),
    ],
    environment: { PATH: "/opt/kiln/bin:${PATH}" },
  };
}
