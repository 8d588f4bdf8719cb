import { messageOf } from "../../errors.ts";
import { listOf, mapOf, may, type Place } from "./document.ts";

type Check<T> = (place: Place) => T;

/** Reads a document as far as it goes: what is wrong is left out and named, so that the rest is not lost with it. */
export class TolerantReading {
  /** What was wrong, with its path. */
  readonly faults: string[] = [];

  /** What `read` gives, or `otherwise` where it finds something wrong. */
  or<T>(otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.faults.push(messageOf(error));
      return otherwise;
    }
  }

  /** A list without the entries that are wrong. */
  list<T>(check: Check<T>): Check<readonly T[]> {
    const entry = listOf((place) => this.or<readonly T[]>([], () => [check(place)]));
    return (place) => entry(place).flatMap((found) => found);
  }

  /** An object without the fields that are wrong. */
  map<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
    const fields = mapOf((place) => this.or<readonly T[]>([], () => [check(place)]));
    return (place) =>
      Object.fromEntries(Object.entries(fields(place)).flatMap(([name, found]) => found.map((one) => [name, one])));
  }

  /** `{name: checked value}` to spread; nothing where the field is absent, null or wrong. */
  may<Name extends string, T>(place: Place, name: Name, check: Check<T>): Readonly<Partial<Record<Name, T>>> {
    const nothing: Readonly<Partial<Record<string, never>>> = {};
    return this.or<Readonly<Partial<Record<Name, T>>>>(nothing, () => may(place, name, check));
  }
}
