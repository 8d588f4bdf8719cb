import { describe, expect, it } from "vitest";
import { deliveryOf, layoutOf } from "../../../cli/cache/form.ts";

describe("the form of an image", () => {
  it("is packed by default, and says nothing of programs", () => {
    expect([layoutOf({}), deliveryOf({})]).toEqual(["packed", undefined]);
  });

  it("is what the options say", () => {
    expect([layoutOf({ layout: "loose" }), deliveryOf({ programs: "both" })]).toEqual(["loose", "both"]);
  });

  it("is refused where there is none of that name, with those that there are", () => {
    expect(() => layoutOf({ layout: "zip" })).toThrow("--layout zip");
    expect(() => deliveryOf({ programs: "all" })).toThrow("--programs all");
  });
});
