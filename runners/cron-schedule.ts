interface CronField {
  readonly least: number;
  readonly most: number;
  /** In the order of their numbers, the first of which is `least`. */
  readonly names?: readonly string[];
}

const FIELDS: readonly CronField[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: "jan feb mar apr may jun jul aug sep oct nov dec".split(" ") },
  // Sunday is 0: Kubernetes refuses the 7 of other crons.
  { least: 0, most: 6, names: "sun mon tue wed thu fri sat".split(" ") },
];

const NICKNAME = /^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$/;

/**
 * Whether a CronJob takes it: minute, hour, day of the month, month and day of the week, each within its range, or a name
 * such as `@daily`. The rules are those of robfig/cron v3, which Kubernetes parses with; `@every` is left out, because its
 * times depend on when the job was made.
 */
export function isCronSchedule(schedule: string): boolean {
  if (NICKNAME.test(schedule)) return true;
  const parts = schedule.trim().split(/\s+/);
  return parts.length === FIELDS.length && FIELDS.every((field, index) => isField(parts[index] ?? "", field));
}

function isField(text: string, field: CronField): boolean {
  return text.split(",").every((item) => isItem(item, field));
}

/** One value such as `5`, a range such as `1-5`, or all of them; perhaps with a step, as in `10-40/10`. */
function isItem(item: string, field: CronField): boolean {
  const [, range = "", step] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
  if (step !== undefined && Number(step) === 0) return false;
  if (range === "*" || range === "?") return true;
  const bounds = range.split("-").map((bound) => numberOf(bound, field));
  const [first = NaN, last = first] = bounds;
  return bounds.length <= 2 && field.least <= first && first <= last && last <= field.most;
}

function numberOf(text: string, { least, names = [] }: CronField): number {
  if (/^\d+$/.test(text)) return Number(text);
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? NaN : least + index;
}
