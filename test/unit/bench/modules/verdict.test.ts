import { describe, expect, it } from "vitest";
import { LIMITS, verdict } from "../../../../bench/modules/verdict.ts";

/** What was seen on a shared machine of two cores: all within the limits. */
const SEEN: Readonly<Record<string, number>> = {
  ...{ noop: 0.3112, entrypoint: 0.0162, contained: 0.3091, executed: 0.5519 },
  ...{ tool: 0.5546, direct: 0.25, previewed: 0.6179, "previewed by executor": 0.8837 },
};
const of = (figures: Readonly<Record<string, number>>) =>
  verdict((name) => {
    const seconds = figures[name];
    if (seconds === undefined) throw new Error(`nothing measured ${name}`);
    return seconds;
  });

describe("verdict", () => {
  it("subtracts what each way is compared with", () => {
    expect(of(SEEN)).toEqual({
      above: {
        contained: -0.0021,
        executed: 0.2407,
        "previewed, above the tool in a container": 0.0633,
        "previewed, above the tool and the no-op": 0.0567,
        "previewed by executor, above the tool in a container": 0.3291,
        "previewed by executor, above the tool and the no-op": 0.3225,
      },
      holds: true,
    });
  });

  it.each(["contained", "executed", "previewed", "previewed by executor"])(
    "limits what %s is above the no-op",
    (name) => {
      const base = name.startsWith("previewed") ? (SEEN.direct ?? 0) + (SEEN.noop ?? 0) : (SEEN.noop ?? 0);
      expect(of({ ...SEEN, tool: 0.57, [name]: base + LIMITS.container - 0.001 }).holds).toBe(true);
      expect(of({ ...SEEN, tool: 0.57, [name]: base + LIMITS.container + 0.001 }).holds).toBe(false);
    },
  );

  it("limits previews above the tool in a container, and the entrypoint alone", () => {
    expect(of({ ...SEEN, tool: 0.28 }).holds).toBe(false);
    expect(of({ ...SEEN, entrypoint: LIMITS.entrypoint + 0.001 }).holds).toBe(false);
  });
});
