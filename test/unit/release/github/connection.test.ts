import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { githubConnection, remoteRepository } from "../../../../release/github/connection.ts";

const ORIGIN = "https://github.com/acme/infra.git";

describe("githubConnection", () => {
  it.each<[string, NodeJS.ProcessEnv, string | undefined, object]>([
    ["a laptop", { GH_TOKEN: "t" }, ORIGIN, { api: "https://api.github.com", repository: "acme/infra", token: "t" }],
    [
      "a workflow",
      { GITHUB_TOKEN: "t", GH_TOKEN: "u", GITHUB_REPOSITORY: "a/b", GITHUB_API_URL: "https://api.github.com" },
      undefined,
      { api: "https://api.github.com", repository: "a/b", token: "t" },
    ],
    [
      "an enterprise server",
      { GITHUB_TOKEN: " t\n" },
      "git@git.acme.com:acme/infra.git",
      { api: "https://git.acme.com/api/v3", token: "t" },
    ],
    ["its address", { GITHUB_TOKEN: "t", GITHUB_API_URL: "https://g/api/v3/" }, ORIGIN, { api: "https://g/api/v3" }],
    ["a test", { GITHUB_TOKEN: "t", GITHUB_API_URL: "http://127.0.0.1:9" }, ORIGIN, { api: "http://127.0.0.1:9" }],
    ["a variable that is set to nothing", { GITHUB_TOKEN: "", GH_TOKEN: "t" }, ORIGIN, { token: "t" }],
  ])("takes that of %s", (_, env, origin, connection) => {
    expect(githubConnection(env, origin)).toMatchObject(connection);
  });

  it.each<[string, NodeJS.ProcessEnv, string | undefined, string, RegExp]>([
    ["no token", {}, ORIGIN, "unreachable", /no token/],
    ["no repository", { GITHUB_TOKEN: "t" }, undefined, "usage", /no GitHub repository/],
    ["a remote elsewhere", { GITHUB_TOKEN: "t" }, "/srv/infra.git", "usage", /no GitHub repository/],
    ["a repository that is none", { GITHUB_TOKEN: "t", GITHUB_REPOSITORY: "a/../b" }, ORIGIN, "usage", /repository/],
    ["an open address", { GITHUB_TOKEN: "t", GITHUB_API_URL: "http://g/api" }, ORIGIN, "usage", /no https/],
    ["an address that is none", { GITHUB_TOKEN: "t", GITHUB_API_URL: "g" }, ORIGIN, "usage", /no https/],
    ["a token with blanks", { GITHUB_TOKEN: "secret one" }, ORIGIN, "usage", /blanks/],
  ])("refuses %s, without printing the token", (_, env, origin, kind, message) => {
    let thrown: unknown;
    try {
      githubConnection(env, origin);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(KilnError);
    expect(thrown).toMatchObject({ kind });
    const { message: said, mend = "" } = thrown as KilnError;
    expect(said).toMatch(message);
    expect(said + mend).not.toContain("secret one");
  });
});

describe("remoteRepository", () => {
  it.each([
    ["https://github.com/acme/infra", "github.com", "acme/infra"],
    ["https://user:pass@github.com/acme/infra.git\n", "github.com", "acme/infra"],
    ["ssh://git@git.acme.com:2222/acme/infra.git", "git.acme.com", "acme/infra"],
    ["git@github.com:acme/in.fra.git", "github.com", "acme/in.fra"],
  ])("%s", (url, host, repository) => {
    expect(remoteRepository(url)).toEqual({ host, repository });
  });

  it.each(["/srv/infra.git", "../infra", "https://github.com/acme", "file:///srv/a/b.git", ""])("not %j", (url) => {
    expect(remoteRepository(url)).toBeUndefined();
  });
});
