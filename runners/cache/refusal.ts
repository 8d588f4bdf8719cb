import { KilnError } from "../../errors.ts";

/** A usage error about one field of a request. */
export type CacheRefusal = (key: string, problem: string, mend: string) => KilnError;

/** Makes refusals of a request whose key path is `at`. */
export function refusalsAt(at: string): CacheRefusal {
  return (key, problem, mend) => new KilnError("usage", `${at}.${key} ${problem}`, { mend });
}

/** What Go's authors say of build caches, and where. */
export const UNSAFE_GO_CACHE =
  "Go's documentation calls a build cache on a network file system, or shared by machines, unsafe (cmd/go/internal/cache, Open)";
