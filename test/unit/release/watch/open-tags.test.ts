import { describe, expect, it } from "vitest";
import { openTags } from "../../../../release/watch/open-tags.ts";
import { gitRepository } from "../github/git-repository.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const APP = { KILN_APP_TOKEN: "ghs_app" };

async function opened(
  env: NodeJS.ProcessEnv,
  options: { origin?: string; via?: "git" | "api"; dryRun?: boolean } = {},
) {
  const { origin, via, dryRun = false } = options;
  const repository = await gitRepository({ a: "1" });
  if (origin !== undefined) await repository.git("remote", "set-url", "origin", origin);
  return openTags({ checkout: repository.checkout, via, env, dryRun, now: () => 0 });
}

describe("where tags are", { timeout: 60_000 }, () => {
  it("is the remote of a checkout", async () => {
    expect((await opened({})).repository.name).toBe("origin");
    const { repository, login } = await opened(APP, { origin: "https://github.com/acme/infra.git" });
    expect([repository.name, login]).toEqual(["acme/infra", { api: "https://api.github.com", token: "ghs_app" }]);
  });

  it("is GitHub's API without a checkout, or where it is asked for", async () => {
    const env = { ...APP, GITHUB_REPOSITORY: "acme/tools" };
    const at = { checkout: await temporaryDirectory(), via: undefined, env, dryRun: false, now: () => 0 };
    expect((await openTags(at)).repository.name).toBe("acme/tools");
    const asked = await opened(APP, { origin: "git@github.com:acme/infra.git", via: "api" });
    expect(asked.repository.name).toBe("acme/infra");
  });

  it("takes an App's token in a workflow, where Git would find the workflow's own, and a person's login elsewhere", async () => {
    const origin = "https://github.com/acme/infra";
    await expect(opened({ GITHUB_ACTIONS: "true", GITHUB_TOKEN: "ghs_own" }, { origin })).rejects.toThrow(
      /no App's token/,
    );
    await expect(opened({}, { origin, via: "api" })).rejects.toThrow(/no App's token/);
    for (const env of [{ GITHUB_ACTIONS: "true", ...APP }, {}]) {
      expect((await opened(env, { origin })).repository.name).toBe("acme/infra");
    }
    expect((await opened({ GITHUB_ACTIONS: "true" }, { origin, dryRun: true })).repository.name).toBe("acme/infra");
  });

  it("is nowhere without a remote", async () => {
    const at = { checkout: await temporaryDirectory(), via: "git", env: {}, dryRun: true, now: () => 0 } as const;
    await expect(openTags(at)).rejects.toThrow(/is no checkout with a remote origin/);
  });
});
