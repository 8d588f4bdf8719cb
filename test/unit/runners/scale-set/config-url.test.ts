import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { parseConfigUrl } from "../../../../runners/scale-set/config-url.ts";

const AT = "kiln:runners.configUrl";

describe("an address of runners", () => {
  it.each([
    ["https://github.com/acme", { kind: "organization", host: "github.com", owner: "acme" }],
    ["https://github.com/acme/", { kind: "organization", host: "github.com", owner: "acme" }],
    ["https://github.com/acme/infra", { kind: "repository", host: "github.com", owner: "acme", repository: "infra" }],
    ["https://github.com/acme/.github", { kind: "repository", owner: "acme", repository: ".github" }],
    ["https://github.com/enterprises/acme-corp", { kind: "enterprise", owner: "acme-corp" }],
    ["https://ghes.acme.example/acme", { kind: "organization", host: "ghes.acme.example", owner: "acme" }],
    ["https://ghes.acme.example:8443/acme/infra", { kind: "repository", host: "ghes.acme.example:8443" }],
    ["https://acme.ghe.com/platform", { kind: "organization", host: "acme.ghe.com", owner: "platform" }],
  ])("reads %s", (url, expected) => {
    expect(parseConfigUrl(url, AT)).toMatchObject(expected);
  });

  it.each([
    ["", "which is no address"],
    ["acme/infra", "which is no address"],
    ["github.com/acme", "which is no address"],
    ["https://github.com", "which is no organization, repository or enterprise"],
    ["https://github.com/", "which is no organization, repository or enterprise"],
    ["https://github.com//acme", "which is no organization, repository or enterprise"],
    ["https://github.com/acme/infra/tree/main", "which is no organization, repository or enterprise"],
    ["https://github.com/orgs/acme", "which is no organization, repository or enterprise"],
    ["https://github.com/organizations/acme/settings/actions", "which is no organization, repository or enterprise"],
    ["https://github.com/enterprises", "which is no organization, repository or enterprise"],
    ["https://github.com/enterprises/acme/settings", "which is no organization, repository or enterprise"],
    ["https://github.com/-acme", "which is no organization, repository or enterprise"],
    ["https://github.com/acme-", "which is no organization, repository or enterprise"],
    ["https://github.com/acme/..%2f", "which is no organization, repository or enterprise"],
    ["https://github.com/acme/in fra", "which is no organization, repository or enterprise"],
    ["https://github.com/acme/infra.git", "which is the address of a clone: leave out .git"],
    ["https://api.github.com/acme", "which is the API"],
    ["http://github.com/acme", "but runners register over https"],
    ["git@github.com:acme/infra.git", "which is no address"],
    ["ssh://git@github.com/acme/infra", "but runners register over https"],
    ["https://github.com/acme?tab=repositories", "but a query or fragment means nothing to GitHub here"],
    ["https://github.com/acme#readme", "but a query or fragment means nothing to GitHub here"],
  ])("refuses %j", (url, reason) => {
    expect(() => parseConfigUrl(url, AT)).toThrow(KilnError);
    expect(() => parseConfigUrl(url, AT)).toThrow(reason);
    expect(() => parseConfigUrl(url, AT)).toThrow(AT);
  });

  it("shows no password that stands in it", () => {
    const url = "https://me:hunter2@github.com/acme";
    expect(() => parseConfigUrl(url, AT)).toThrow(`${AT} is "https://…@github.com/acme", but an address must not hold`);
  });

  it("is read as it was made, whatever the names, and again from what was read", () => {
    const name = fc
      .stringMatching(/^[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,20}$/)
      .filter((text) => !PAGES.includes(text.toLowerCase()));
    const repository = fc.stringMatching(/^[a-zA-Z0-9][\w.-]{0,30}$/).filter((text) => !text.endsWith(".git"));
    const host = fc.constantFrom("github.com", "ghes.acme.example", "ghes:8443");
    fc.assert(
      fc.property(
        host,
        name,
        fc.option(repository, { nil: undefined }),
        fc.boolean(),
        (where, owner, second, slash) => {
          const url = `https://${where}/${[owner, second].filter((part) => part !== undefined).join("/")}`;
          const parsed = parseConfigUrl(slash ? `${url}/` : url, AT);
          expect(parsed.url).toBe(url);
          expect(parsed).toMatchObject({ host: where, owner, ...(second === undefined ? {} : { repository: second }) });
          expect(parsed.kind).toBe(second === undefined ? "organization" : "repository");
          expect(parseConfigUrl(parsed.url, AT)).toEqual(parsed);
        },
      ),
    );
  });

  it("is read or refused with a usage error, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (text) => {
        try {
          expect(parseConfigUrl(text, AT).url).toMatch(/^https:\/\/[^/]+(?:\/[^/]+){1,2}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(KilnError);
          expect(error).toMatchObject({
            kind: "usage",
            mend: expect.stringContaining("https://github.com/<organization>") as string,
          });
        }
      }),
    );
  });
});

const PAGES = ["apps", "enterprises", "marketplace", "organizations", "orgs", "settings", "sponsors", "users"];
