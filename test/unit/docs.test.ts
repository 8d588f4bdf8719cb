import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const PROJECT = path.resolve(import.meta.dirname, "../..");
const PAGES = globSync("**/*.md", { cwd: PROJECT, exclude: (name) => /^node_modules$|^\./.test(path.basename(name)) });

/** A page without its blocks of code, where brackets and hashes mean something else. */
const proseOf = (page: string) => readFileSync(path.join(PROJECT, page), "utf8").replace(/^ *```[^]*?^ *```/gm, "");

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const titles = [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  const plain = titles.map((title) => title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase());
  return new Set(plain.map((title) => title.replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-")));
}

/** Links of a page that lead nowhere in this project. */
function brokenLinks(page: string): readonly string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    if (/^\w+:/.test(link)) return false;
    const [file = "", anchor = ""] = link.split("#");
    const target = file === "" ? page : path.join(path.dirname(page), file);
    if (!existsSync(path.join(PROJECT, target))) return true;
    return anchor !== "" && target.endsWith(".md") && !anchorsOf(target).has(anchor);
  });
}

describe("the documentation", () => {
  it("has no link that leads nowhere", () => {
    expect(PAGES).toContain("docs/releasing.md");
    expect(PAGES.flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`))).toEqual([]);
  });

  it("tells of releases on one page", () => {
    expect(readFileSync(path.join(PROJECT, "docs/releasing.md"), "utf8").split("\n").length).toBeLessThanOrEqual(91);
  });
});
