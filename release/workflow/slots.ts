/** Labels of GitHub's own machines, of which there are as many as jobs ask for. */
const HOSTED = "ubuntu-";

/** What jobs of these labels share: a lane, which takes one job at a time as its runner does; empty for hosted machines. */
export function laneOf(labels: readonly string[]): string {
  return labels.every((label) => label.startsWith(HOSTED)) ? "" : labels.join(", ");
}

interface Waiting {
  readonly lane: string;
  readonly start: () => void;
}

/** Room for so many jobs at once, of one lane never two. Who asked first goes first where there is room for both. */
export class Slots {
  #free: number;
  readonly #busy = new Set<string>();
  #queue: readonly Waiting[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for room and runs `work` in it. */
  async within<T>(lane: string, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#queue = [...this.#queue, { lane, start }];
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#free += 1;
      this.#busy.delete(lane);
      this.#startNext();
    }
  }

  #startNext(): void {
    for (const waiting of this.#queue) {
      const { lane } = waiting;
      if (this.#free === 0) return;
      if (lane !== "" && this.#busy.has(lane)) continue;
      this.#free -= 1;
      if (lane !== "") this.#busy.add(lane);
      this.#queue = this.#queue.filter((one) => one !== waiting);
      waiting.start();
    }
  }
}
