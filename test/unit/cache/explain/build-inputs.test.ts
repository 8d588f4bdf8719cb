import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  inputsFault,
  inputsLine,
  mergeInputs,
  parseInputsLines,
  uniteInputs,
  type BuildInputs,
} from "../../../../cache/explain/build-inputs.ts";

const EMPTY: BuildInputs = { programs: {}, goFiles: {}, packages: {} };
const name = fc.constantFrom("a", "b/c", "../d", ".");
const digest = fc.constantFrom("1", "2", "3");

/** Shards of one source agree on what they both name: all are parts of one whole. */
const shards = fc
  .record({
    programs: fc.dictionary(
      name,
      fc.record({
        goFiles: fc.constant(["go.mod"]),
        packages: fc.array(name),
        modules: fc.dictionary(name, fc.constant("v1.0.0")),
      }),
    ),
    goFiles: fc.dictionary(name, fc.record({ go: fc.constantFrom("1.25", "1.26") })),
    packages: fc.dictionary(name, fc.dictionary(name, digest)),
  })
  .chain((whole) => fc.array(partOf(whole), { minLength: 1, maxLength: 4 }));

function partOf(whole: BuildInputs): fc.Arbitrary<BuildInputs> {
  const part = <T>(record: Readonly<Record<string, T>>) =>
    fc.subarray(Object.entries(record)).map((entries) => Object.fromEntries(entries) as Readonly<Record<string, T>>);
  return fc.record({ programs: part(whole.programs), goFiles: part(whole.goFiles), packages: part(whole.packages) });
}

describe("uniteInputs", () => {
  it("depends neither on the order of shards nor on how they were grouped, to the byte", () => {
    fc.assert(
      fc.property(shards, (parts) => {
        const all = JSON.stringify(uniteInputs(parts));
        expect(JSON.stringify(uniteInputs(parts.toReversed()))).toBe(all);
        const [first = EMPTY, ...rest] = parts;
        expect(JSON.stringify(uniteInputs([first, uniteInputs(rest)]))).toBe(all);
        expect(JSON.stringify(uniteInputs([uniteInputs(parts), ...parts]))).toBe(all);
      }),
    );
  });

  it("takes the later of two that disagree, as the later warming is the one in the cache", () => {
    const of = (digest: string) => ({ ...EMPTY, packages: { shared: { "a.go": digest } } });
    expect(uniteInputs([of("1"), of("2")]).packages).toEqual({ shared: { "a.go": "2" } });
  });
});

describe("mergeInputs", () => {
  it("keeps providers apart, and knows nothing where no shard noted anything", () => {
    const of = (file: string) => ({ ...EMPTY, packages: { [file]: {} } });
    expect(mergeInputs([undefined, undefined])).toBeUndefined();
    const merged = mergeInputs([{ gcp: of("g") }, undefined, { aws: of("a") }, { gcp: of("h") }]);
    expect(Object.keys(merged ?? {})).toEqual(["aws", "gcp"]);
    expect(merged?.gcp?.packages).toEqual({ g: {}, h: {} });
  });
});

describe("the lines that an image carries", () => {
  it("say again what was written, whatever stands between them", () => {
    fc.assert(
      fc.property(shards, fc.constantFrom("aws", "Azure AD", "ünï"), ([inputs = EMPTY], provider) => {
        const text = `cat: nothing\n${inputsLine(provider, inputs)}${inputsLine("other", EMPTY)}{}\n`;
        expect(parseInputsLines(text)).toEqual({ [provider]: inputs, other: EMPTY });
      }),
    );
  });
});

describe("inputsFault", () => {
  it("finds nothing in what warming writes, nor in the manifest of an older kiln", () => {
    expect(inputsFault({ "Azure AD": EMPTY })).toBeUndefined();
    expect(inputsFault(undefined)).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ["a provider that leads out of its folder", { "../../etc/x": EMPTY }, '"../../etc/x"'],
    ["half of a record", { aws: { programs: {} } }, "aws"],
    ["no record", { aws: null }, "aws"],
    ["text", "aws", "inputs"],
  ])("refuses %s", (_, inputs, said) => {
    expect(inputsFault(inputs)).toContain(said);
  });
});
