import { describe, expect, it } from "vitest";
import { readinessFaults, requireReady } from "../../../release/runner-readiness.ts";

const PINNED = { baseDigest: `sha256:${"a".repeat(64)}` };
const LOOSE = { baseDigest: undefined };
const [OWN, MIRROR] = ["public.ecr.aws/acme/runner-pulumi-yaml", "ghcr.io/acme/infra/runner-pulumi-yaml"];
const HERE = "localhost:5180/kiln/runner-pulumi-yaml";

describe("what a release of language runners fails at once all is built", () => {
  it("is nothing with addresses of one's own and a base by digest", () => {
    expect(readinessFaults({ repositories: [OWN, MIRROR] }, PINNED)).toEqual([]);
  });

  it("is every registry that is an example, and a base that a tag names", () => {
    const examples = ["public.ecr.aws/your-alias", "ghcr.io/your-org/your-repo/dev"];
    expect(readinessFaults({ repositories: [...examples, MIRROR] }, LOOSE)).toMatchObject([
      ...examples.map((address) => ({ kind: "usage", message: `${address} is an example` })),
      {
        kind: "usage",
        message: expect.stringContaining("stands on a base that no digest names") as string,
        mend: expect.stringContaining("npx kiln language pin") as string,
      },
    ]);
    expect(() => {
      requireReady({ repositories: [OWN] }, LOOSE);
    }).toThrow(`an image for ${OWN} stands on a base that no digest names`);
  });

  it("is no base where all registries are on this machine; a mirror elsewhere is one of others", () => {
    expect(readinessFaults({ repositories: [HERE] }, LOOSE)).toEqual([]);
    expect(readinessFaults({ repositories: [HERE, MIRROR] }, LOOSE)).toHaveLength(1);
  });
});
