/** The fields of `values` that are given: what is absent is left out, so that no `undefined` stands in a manifest. */
export function givenFields<T extends object>(values: T): { [K in keyof T]?: T[K] & {} } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: T[K] & {};
  };
}
