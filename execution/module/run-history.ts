import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import path from "node:path";
import { finished } from "node:stream/promises";
import { messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import type { Redactor } from "../redactor.ts";
import { writeWhole } from "../whole-file.ts";
import type { ModuleRequest } from "./request.ts";
import type { ModuleResponse } from "./response.ts";

/** What one run was asked and answered, in a folder that its owner alone reads: request, events, response. No secrets. */
export class RunHistory {
  readonly folder: string;
  #events: WriteStream | undefined;

  constructor(stackFolder: string, runId: string) {
    this.folder = path.join(stackFolder, "runs", runId);
  }

  /** Keeps the request; of state it says the serial alone. */
  async begin(request: ModuleRequest, redactor: Redactor): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await this.#moveEarlier();
    const { state, ...rest } = request;
    const serial = typeof state === "object" && state !== null && "serial" in state ? state.serial : null;
    await this.#write("request.json", { ...redactor.document(rest), state_serial: serial });
    this.#events = createWriteStream(path.join(this.folder, "events.ndjson"), { flags: "a", mode: 0o600 });
    // A full disk must not end a run that changes resources: the response says what was done.
    this.#events.on("error", () => undefined);
  }

  event(event: unknown): void {
    this.#events?.write(`${JSON.stringify(event)}\n`);
  }

  async closeEvents(): Promise<void> {
    if (this.#events !== undefined) await finished(this.#events.end()).catch(() => undefined);
    this.#events = undefined;
  }

  /** Keeps the response and returns whether it could: what is in it has happened, so an error is a note alone. */
  async end(response: ModuleResponse, progress: Progress): Promise<boolean> {
    try {
      await this.#write("response.json", response);
      return true;
    } catch (error) {
      progress.note(`the response of the run is not kept in ${this.folder}: ${messageOf(error)}`);
      return false;
    }
  }

  /** A caller may give two runs one id: the first one's response may have the only copy of a state that was refused. */
  async #moveEarlier(): Promise<void> {
    const earlier = path.join(this.folder, "response.json");
    try {
      await rename(earlier, `${earlier}.before-${new Date().toISOString()}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  async #write(name: string, document: unknown): Promise<void> {
    await writeWhole(path.join(this.folder, name), `${JSON.stringify(document, null, 2)}\n`);
  }
}
