import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Contents } from "../../cache/report/contents.ts";
import { reportPage } from "../../cache/report/page.ts";
import { size } from "../../cli/printer.ts";
import { run } from "../../toolchain/process.ts";

/** Browsers that print a page as it stands after its script ran; `KILN_TEST_BROWSER` names another. */
const BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

async function findBrowser(): Promise<string | undefined> {
  for (const name of [process.env.KILN_TEST_BROWSER, ...BROWSERS]) {
    if (name === undefined) continue;
    const found = await run(name, ["--version"], { allowFailure: true }).catch(() => undefined);
    if (found?.code === 0) return name;
  }
  return undefined;
}

const sizes = ["common", "aws", "gcp"].flatMap((provider, place) =>
  Array.from({ length: 250 }, (_, index) => ({
    provider,
    goModule: `example.com/${provider}-${index % 9}@v1.${index % 9}.0`,
    name: `example.com/${provider}-${index % 9}/package${index}`,
    bytes: 8000 * (1 + ((index * 7919) % 997)) * (3 - place),
    compressed: 1000 * (1 + ((index * 7919) % 997)) * (3 - place),
  })),
);
const contents: Contents = {
  name: 'cache <of> "three"',
  report: { programs: ["aws/vpc", "gcp/run"], layers: [{ name: "aws", bytes: 9e6, holds: "caches" }], bytes: 9e6 },
  sizes,
};

const browser = await findBrowser();
let folder = "";

/** The page's document after its script ran, opened at a fragment. */
async function dump(fragment: string): Promise<string> {
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${path.join(folder, "profile")}`];
  const address = `file://${path.join(folder, "page.html")}${fragment}`;
  return (await run(browser ?? "", [...flags, "--virtual-time-budget=2000", "--dump-dom", address])).stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "kiln-page-"));
  await writeFile(path.join(folder, "page.html"), reportPage({ contents, size }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the page of a report in a browser", () => {
  it("shows the whole tree, runs its script under its own policy, and opens what a link leads to", async ({ skip }) => {
    skip(browser === undefined, `no browser: none of ${BROWSERS.join(", ")} is installed (apt-get install chromium)`);
    const page = await dump("#in-aws");
    // One map by compressed bytes and one by those on disk, each with all three providers as links.
    expect(page.match(/<svg class="map (?:compressed|bytes)"/g)).toHaveLength(2);
    expect(page.match(/<a class="provider" href="#in-(?:common|aws|gcp)"/g)).toHaveLength(6);
    const cells = new Set([...page.matchAll(/<rect class="package" data-name="([^"]+)"/g)].map(([, name]) => name));
    expect(cells.size).toBeGreaterThan(300);
    expect(page.match(/<tr data-name=/g)).toHaveLength(750);
    expect(page).toContain('cache &lt;of&gt; "three"</h1>');
    // Without its script the search stays hidden, and no list is open.
    expect(page).toMatch(/<div class="controls"><label for="find">/);
    expect(page).toMatch(/<details id="in-aws" open="">/);
    expect(page).toMatch(/<details id="in-gcp">/);
  });
});
