const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/**
 * The bytes of a Kubernetes quantity such as `100Gi` or `1.5T`; undefined for what is none, or no whole number of bytes
 * above 0. Exponents and milli-units are quantities too, but nobody sizes a volume in them.
 */
export function bytesOf(quantity: string): number | undefined {
  const [, number, suffix = ""] = /^(\d+(?:\.\d+)?)([kMGTP]|[KMGTP]i)?$/.exec(quantity) ?? [];
  const bytes = Number(number) * (FACTORS[suffix] ?? NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Bytes as people read them, such as `80 GiB`. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1).replace(/\.0$/, "")} GiB`;
}
