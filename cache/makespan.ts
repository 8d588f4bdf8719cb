import { secondsOf, type WeighedGraph } from "./plan/weighed-graph.ts";

/** What a simulated run takes. */
export interface Schedule {
  /** Seconds from its beginning to its end. */
  readonly wall: number;
  readonly cpu: number;
}

/**
 * The share of one compilation that only one core can do: parsing apart, the compiler's front half is serial. Seen on two
 * cores: 1.2 to 1.6 CPU seconds a second for large packages, so about half.
 */
const SERIAL_SHARE = 0.5;
/** The compiler's back half uses four cores at most. */
const COMPILER_CORES = 4;

/** How many cores one compilation keeps busy, on average, where it has the machine to itself (Amdahl's law). */
export function parallelism(cores: number): number {
  return 1 / (SERIAL_SHARE + (1 - SERIAL_SHARE) / Math.min(cores, COMPILER_CORES));
}

/**
 * Simulates how Go compiles the packages of a mask on so many cores: ready packages in the order of a depth-first walk from
 * `roots`, as many at once as there are cores (cmd/go/internal/work/exec.go, Builder.Do); those that run share the cores
 * evenly, and none uses more than `parallelism`. What is outside the mask is there already.
 */
export function compileSchedule(
  graph: WeighedGraph,
  mask: Uint8Array,
  roots: readonly number[],
  cores: number,
): Schedule {
  const order = depthFirst(graph, mask, roots);
  const priority = new Int32Array(graph.keys.length);
  const pending = new Int32Array(graph.keys.length);
  const dependents = new Map<number, number[]>();
  const ready = new ReadyQueue(priority);
  order.forEach((index, place) => {
    priority[index] = place;
    for (const below of graph.imports[index] ?? []) {
      if (mask[below] !== 1) continue;
      pending[index] = (pending[index] ?? 0) + 1;
      const above = dependents.get(below);
      if (above === undefined) dependents.set(below, [index]);
      else above.push(index);
    }
  });
  for (const index of order) if (pending[index] === 0) ready.push(index);

  const running: { index: number; left: number }[] = [];
  let [wall, cpu] = [0, 0];
  for (;;) {
    while (running.length < cores && ready.size > 0) {
      const index = ready.pop();
      running.push({ index, left: graph.seconds[index] ?? 0 });
    }
    if (running.length === 0) return { wall, cpu };
    const rate = Math.min(parallelism(cores), cores / running.length);
    const step = running.reduce((least, { left }) => Math.min(least, left), Infinity);
    wall += step / rate;
    cpu += step * running.length;
    for (let at = running.length - 1; at >= 0; at -= 1) {
      const task = running[at];
      if (task === undefined || (task.left -= step) > 1e-9) continue;
      running.splice(at, 1);
      for (const above of dependents.get(task.index) ?? []) {
        pending[above] = (pending[above] ?? 0) - 1;
        if (pending[above] === 0) ready.push(above);
      }
    }
  }
}

/** The packages of a mask in post-order from the roots; what no root reaches comes last. */
function depthFirst(graph: WeighedGraph, mask: Uint8Array, roots: readonly number[]): readonly number[] {
  const entered = new Uint8Array(graph.keys.length);
  const left = new Uint8Array(graph.keys.length);
  const order: number[] = [];
  const all = graph.keys.map((_, index) => index);
  for (const root of [...roots, ...all]) {
    const waiting = [root];
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      if (mask[next] !== 1 || left[next] === 1) {
        waiting.pop();
      } else if (entered[next] === 1) {
        waiting.pop();
        left[next] = 1;
        order.push(next);
      } else {
        entered[next] = 1;
        waiting.push(...(graph.imports[next] ?? []).filter((below) => entered[below] === 0).reverse());
      }
    }
  }
  return order;
}

/** Ready packages, the one of the lowest priority number first: a binary heap. */
class ReadyQueue {
  readonly #priority: Int32Array;
  readonly #heap: number[] = [];

  constructor(priority: Int32Array) {
    this.#priority = priority;
  }

  get size(): number {
    return this.#heap.length;
  }

  push(index: number): void {
    const heap = this.#heap;
    heap.push(index);
    for (let at = heap.length - 1; at > 0;) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): number {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    const first = heap.pop() ?? -1;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && this.#before(left, least)) least = left;
      if (right < heap.length && this.#before(right, least)) least = right;
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(one: number, other: number): boolean {
    const [a = 0, b = 0] = [this.#heap[one], this.#heap[other]];
    return (this.#priority[a] ?? 0) < (this.#priority[b] ?? 0);
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other] ?? 0, heap[one] ?? 0];
  }
}

/** Seconds that so many cores need at least: for the longest chain of imports, and for the sum of all. */
export function leastWall(graph: WeighedGraph, mask: Uint8Array, cores: number, runners = 1): number {
  return Math.max(chainSeconds(graph, mask) / parallelism(cores), secondsOf(graph, mask) / (cores * runners));
}

/** CPU seconds of the longest chain of imports within a mask. */
export function chainSeconds(graph: WeighedGraph, mask: Uint8Array): number {
  return chainsIn(graph, mask).reduce((longest, chain) => Math.max(longest, chain), 0);
}

/** CPU seconds of the longest chain of imports within a mask that ends with each package. */
export function chainsIn(graph: WeighedGraph, mask: Uint8Array): Float64Array {
  const chains = new Float64Array(graph.keys.length);
  graph.imports.forEach((below, index) => {
    const before = below.reduce((most, one) => Math.max(most, chains[one] ?? 0), 0);
    chains[index] = before + (mask[index] === 1 ? (graph.seconds[index] ?? 0) : 0);
  });
  return chains;
}
