import path from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { firstPreview, oneOfEachProvider, type FirstPreview } from "../../bench/first-preview/first-preview.ts";
import { readPrograms, type Program } from "../../cache/programs.ts";
import { table } from "../../cli/printer.ts";
import type { ContainerEngine } from "../../execution/offline-container.ts";
import { silent } from "../../progress.ts";
import { places } from "../../toolchain/places.ts";
import { readyGoStandIns } from "../../toolchain/plugins/go-stand-ins.ts";
import { kiln } from "../support/checkout.ts";
import { engineOf } from "../support/engine.ts";
import { isExtended } from "../support/extended.ts";

const checkout = inject("checkout");
const { image } = inject("up");

/** Far above what a busy machine of two cores needs: against retries and hangs. That nothing compiles is for verify to show. */
const SECONDS_AT_MOST = 60;

let programs: readonly Program[];
let standIns: string;
let engine: ContainerEngine;

beforeAll(async () => {
  const every = await readPrograms(checkout.directory, "examples/modules/{provider}/{module}");
  programs = isExtended ? every.programs : oneOfEachProvider(every.programs);
  standIns = await readyGoStandIns(places(), silent);
  const described = await kiln(checkout, ["env", "--json"]);
  const env = { ...process.env, ...checkout.env, ...(JSON.parse(described.stdout) as NodeJS.ProcessEnv) };
  engine = { docker: "docker", env };
});

const preview = (program: Program | undefined, of = image, environment: Readonly<Record<string, string>> = {}) => {
  if (program === undefined) throw new Error("the examples hold no program");
  return firstPreview({ engine, image: of, source: checkout.directory, standIns, environment }, program);
};

const seconds = (value: number | undefined) => (value === undefined ? "never" : `${value.toFixed(1)} s`);

function report(previews: readonly FirstPreview[]): string {
  const head = ["first preview, network off", "container", "backend", "stack", "resource", "end", "stand-ins"];
  const rows = previews.map((one) => [
    path.relative("examples/modules", one.directory),
    ...[one.startedSeconds, one.readySeconds, one.stackSeconds, one.resourceSeconds, one.endSeconds].map(seconds),
    one.standIns.join(" "),
  ]);
  return table([head, ...rows]);
}

describe("the first preview in a fresh container without network", () => {
  it("registers a provider's resource soon, and nothing tries to download", async () => {
    const previews: FirstPreview[] = [];
    for (const program of programs) previews.push(await preview(program));
    console.log(report(previews));
    for (const { directory, attempts, missingModules, error, resources, resourceSeconds } of previews) {
      const found = { attempts, missingModules, error, hasResources: resources > 0 };
      expect(found, directory).toEqual({ attempts: [], missingModules: [], error: undefined, hasResources: true });
      expect(resourceSeconds, directory).toBeLessThan(SECONDS_AT_MOST);
    }
  });

  it("would show a download of a module that go.mod requires and the image lacks", async () => {
    const builder = await engineOf(checkout);
    const lost = "golang.org/x/tools";
    const dockerfile = `FROM ${image}\nUSER root\nRUN rm -r /var/cache/go-mod/${lost}@*\nUSER 1001:1001\n`;
    const lacking = await preview(programs[0], await builder.build(dockerfile, "kiln-e2e-lacking-module"));
    expect(lacking.missingModules).toEqual([expect.stringMatching(new RegExp(`^${lost}@v`))]);
    expect(lacking.attempts).toEqual(["CONNECT proxy.golang.org:443"]);
  });

  it("would show downloads of providers that go.mod requires and the program does not use", async ({ skip }) => {
    const one = await preview(programs[0], image, { PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: "false" });
    const lacksPlugins = one.standIns.some((name) => name.includes("@"));
    skip(!lacksPlugins, "the image has every provider's plugin: there is none left to download");
    expect(one.attempts).toContain("CONNECT get.pulumi.com:443");
    expect(one.resources).toBeGreaterThan(0);
  });
});
