import { KilnError } from "../../errors.ts";

/** Where runners register: an organization, a repository or an enterprise of GitHub, GHE.com or GitHub Enterprise Server. */
export interface ConfigUrl {
  /** As the controller gets it: without a slash at its end. */
  readonly url: string;
  readonly kind: "organization" | "repository" | "enterprise";
  readonly host: string;
  /** The organization, the owner of the repository, or the enterprise. */
  readonly owner: string;
  readonly repository?: string;
}

const OWNER = /^[a-z\d](?:[a-z\d]|[-_](?=[a-z\d])){0,99}$/i;
const REPOSITORY = /^(?!\.{1,2}$)[\w.-]{1,100}$/;

/** First segments of GitHub's own pages: an address copied from a browser's settings page starts with one of them. */
const PAGES = new Set(["apps", "enterprises", "marketplace", "organizations", "orgs", "settings", "sponsors", "users"]);

const MEND =
  "Set it to https://github.com/<organization>, https://github.com/<owner>/<repository> or " +
  "https://github.com/enterprises/<enterprise>; the host of a GitHub Enterprise Server stands in the place of github.com";

/**
 * What the address of runners means, read as the controller reads it (its ParseGitHubConfigFromURL), but refusing what it
 * would only find out at GitHub. Throws a usage error that names `at`, the key path where the address is written.
 */
export function parseConfigUrl(url: string, at: string): ConfigUrl {
  const address = URL.parse(url);
  const refusal = (reason: string) =>
    new KilnError("usage", `${at} is ${shown(address, url)}, ${reason}`, { mend: MEND });
  if (address === null) throw refusal("which is no address");
  if (address.protocol !== "https:") throw refusal("but runners register over https");
  if (address.username !== "" || address.password !== "") throw refusal("but an address must not hold credentials");
  if (address.search !== "" || address.hash !== "")
    throw refusal("but a query or fragment means nothing to GitHub here");
  if (address.hostname === "api.github.com") throw refusal("which is the API, not the place of an organization");
  const segments = address.pathname.replace(/^\/|\/$/g, "").split("/");
  const [first = "", second, ...rest] = segments;
  const base = { url: `https://${address.host}/${segments.join("/")}`, host: address.host };
  if (first === "enterprises" && second !== undefined && rest.length === 0 && OWNER.test(second)) {
    return { ...base, kind: "enterprise", owner: second };
  }
  if (!OWNER.test(first) || PAGES.has(first.toLowerCase()) || rest.length > 0) {
    throw refusal("which is no organization, repository or enterprise");
  }
  if (second === undefined) return { ...base, kind: "organization", owner: first };
  if (!REPOSITORY.test(second)) throw refusal("which is no organization, repository or enterprise");
  if (second.endsWith(".git")) throw refusal("which is the address of a clone: leave out .git");
  return { ...base, kind: "repository", owner: first, repository: second };
}

/** The address for a message, without a password that somebody wrote into it. */
function shown(address: URL | null, url: string): string {
  if (address === null) return JSON.stringify(url.replace(/\/\/.*@/, "//…@"));
  if (address.username === "" && address.password === "") return JSON.stringify(url);
  return JSON.stringify(`${address.protocol}//…@${address.host}${address.pathname}`);
}
