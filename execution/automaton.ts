/** A state of the automaton: what was read so far ends with the beginning of some word, `depth` characters of it. */
export interface Node {
  readonly next: Map<string, Node>;
  readonly depth: number;
  /** The longest shorter beginning that what was read ends with as well; the root has none. */
  fallback: Node | undefined;
  /** Length of the longest word that ends here; 0 where none does. */
  matched: number;
}

/**
 * The automaton of Aho and Corasick (1975), which finds all words in one pass over a text, in time that does not grow with
 * the number of words. Returns its root.
 */
export function automatonOf(words: Iterable<string>): Node {
  const root = node(0);
  for (const word of words) {
    if (word === "") continue;
    let at = root;
    for (const unit of word.split("")) {
      const next = at.next.get(unit) ?? node(at.depth + 1);
      at.next.set(unit, next);
      at = next;
    }
    at.matched = word.length;
  }
  const queue = [root];
  for (const from of queue) {
    for (const [unit, to] of from.next) {
      to.fallback = from === root ? root : step(from.fallback ?? root, unit, root);
      to.matched = Math.max(to.matched, to.fallback.matched);
      queue.push(to);
    }
  }
  return root;
}

/** The state after one more UTF-16 unit. */
export function step(from: Node, unit: string, root: Node): Node {
  for (let at: Node | undefined = from; at !== undefined; at = at.fallback) {
    const next = at.next.get(unit);
    if (next !== undefined) return next;
  }
  return root;
}

function node(depth: number): Node {
  return { next: new Map(), depth, fallback: undefined, matched: 0 };
}
