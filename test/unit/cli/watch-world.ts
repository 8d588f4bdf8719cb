import { writeFile } from "node:fs/promises";
import path from "node:path";
import { vi } from "vitest";
import { watchCommand } from "../../../cli/watch.ts";
import type { Watch } from "../../../release/watch/watch.ts";
import { silent } from "../../../progress.ts";
import { run } from "../../../toolchain/process.ts";
import { gitRepository, type GitRepository } from "../release/github/git-repository.ts";
import { ReleaseFeed, watchFile } from "../../support/release-feed.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");

/** What `kiln watch` looks at, all of the running test: sources, registries, a remote and its checkout. */
export class WatchWorld {
  readonly feed: ReleaseFeed;
  readonly tags: GitRepository;
  readonly folder: string;

  private constructor(feed: ReleaseFeed, tags: GitRepository, folder: string) {
    this.feed = feed;
    this.tags = tags;
    this.folder = folder;
  }

  static async start(): Promise<WatchWorld> {
    for (const name of ["KILN_APP_TOKEN", "KILN_APP_ID", "KILN_APP_PRIVATE_KEY_FILE", "GITHUB_REPOSITORY"]) {
      vi.stubEnv(name, "");
    }
    const made = await Promise.all([ReleaseFeed.start(), gitRepository({ a: "1" }), temporaryDirectory()]);
    const world = new WatchWorld(...made);
    vi.stubEnv("KILN_CACHE_DIR", path.join(world.folder, "cache"));
    await world.configure([]);
    return world;
  }

  /** The watcher's file. */
  get config(): string {
    return path.join(this.folder, "watch.yaml");
  }

  get #registries(): readonly string[] {
    return [`preproduction=${this.feed.host}/kiln`, `production=${this.feed.host}/released`];
  }

  async configure(more: readonly string[]): Promise<void> {
    await writeFile(this.config, watchFile(this.feed, more));
  }

  /** One look in this process. */
  async look(more: Readonly<Record<string, boolean>> = {}) {
    const values = {
      once: true,
      config: this.config,
      checkout: this.tags.checkout,
      registry: this.#registries,
      ...more,
    };
    const { json, text, exitCode = 0 } = await watchCommand.run({ values, positionals: [], progress: silent });
    return { watch: json as Watch, text, exitCode };
  }

  /** One look by the command itself, as a person or a workflow starts it. */
  async command(): Promise<{ readonly code: number; readonly watch: Watch }> {
    const at = ["--config", this.config, "--checkout", this.tags.checkout];
    const registries = this.#registries.flatMap((registry) => ["--registry", registry]);
    const args = [path.join(PROJECT, "cli/kiln.mjs"), "watch", "--once", "--json", ...at, ...registries];
    const { code, stdout } = await run(process.execPath, args, { env: process.env, allowFailure: true });
    return { code, watch: JSON.parse(stdout) as Watch };
  }

  async remoteTags(): Promise<readonly string[]> {
    const { stdout } = await run("git", ["tag", "--list"], { cwd: this.tags.bare });
    return stdout.split("\n").filter((name) => name !== "");
  }

  /** Puts both images of a version into production. */
  putReleased(version: string, revision = "c".repeat(40)): void {
    for (const language of ["golang", "python"]) {
      this.feed.addImage({ name: image(language, version, "released"), revision });
    }
  }
}

/** An image of the feed's registry: to try, or released. */
export function image(language: string, version: string, registry: "kiln" | "released" = "kiln"): string {
  return `${registry}/runner-pulumi-${language}:v${version}`;
}

/** The verdicts by version. */
export function verdicts({ versions }: Watch): Readonly<Record<string, string>> {
  return Object.fromEntries(versions.map(({ version, verdict }) => [version, verdict]));
}
