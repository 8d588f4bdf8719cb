import type { CacheRefusal } from "./refusal.ts";
import type { GarbageCollectionRequest } from "./request.ts";
import type { CheckedCollection } from "./checked-cache.ts";
import { isCronSchedule } from "../cron-schedule.ts";
import { bytesOf, gibibytes } from "./quantity.ts";

const DEFAULT_SCHEDULE = "17 3 * * *";

/** The part of a volume that is left full where nothing else is said. */
const DEFAULT_SHARE = 0.8;

/** Longer than a build goes on with an entry that it has looked up. */
const DEFAULT_AGE_HOURS = 6;

/** Go notes the use of an entry once an hour, and `kiln cache warm` makes entries two hours old (cache/closure.ts). */
const LEAST_AGE_HOURS = 3;

/** What `kiln cache warm` wants to be free before it starts (cache/store.ts). */
const WANTED_BYTES = 10 * 2 ** 30;

/** When and how far a volume of `size` is collected; undefined where nothing is to be. */
export function checkedCollection(
  request: GarbageCollectionRequest | false | undefined,
  size: string,
  refuse: CacheRefusal,
): CheckedCollection | undefined {
  if (request === false) return undefined;
  const { schedule = DEFAULT_SCHEDULE, budget, minimumAgeHours = DEFAULT_AGE_HOURS } = request ?? {};
  if (!isCronSchedule(schedule)) {
    throw refuse(
      "garbageCollection.schedule",
      `is ${JSON.stringify(schedule)}, which is no cron expression of Kubernetes`,
      `Write five fields, such as ${JSON.stringify(DEFAULT_SCHEDULE)}: minute, hour, day, month, day of the week (0 to 6).`,
    );
  }
  const whole = bytesOf(size) ?? 0;
  const budgetBytes = budget === undefined ? Math.floor(whole * DEFAULT_SHARE) : bytesOf(budget);
  const mend = `Set it to less than the volume's ${size}, such as ${gibibytes(whole * DEFAULT_SHARE).replace(" GiB", "Gi")}.`;
  if (budgetBytes === undefined) {
    throw refuse("garbageCollection.budget", `is ${JSON.stringify(budget)}, which is no Kubernetes quantity`, mend);
  }
  if (budgetBytes >= whole) {
    throw refuse("garbageCollection.budget", `is ${budget ?? ""}, which a volume of ${size} never exceeds`, mend);
  }
  if (!Number.isFinite(minimumAgeHours) || minimumAgeHours < LEAST_AGE_HOURS) {
    throw refuse(
      "garbageCollection.minimumAgeHours",
      `is ${minimumAgeHours}: entries that a build has just looked up could go (golang/go#31948)`,
      `Set it to at least ${LEAST_AGE_HOURS}, and to more than the longest build takes.`,
    );
  }
  return { schedule, budgetBytes, minimumAgeHours };
}

/** What is said of a budget that leaves a warming kiln too little room. */
export function budgetWarning(collection: CheckedCollection | undefined, size: string): readonly string[] {
  const free = collection === undefined ? undefined : (bytesOf(size) ?? 0) - collection.budgetBytes;
  if (free === undefined || free >= WANTED_BYTES) return [];
  return [
    `collection leaves ${gibibytes(free)} of ${size} free, and \`kiln cache warm\` wants ${gibibytes(WANTED_BYTES)}: lower the budget, or set KILN_MIN_FREE_GB for runners`,
  ];
}
