import { describe, expect, it } from "vitest";
import { ownImageNames } from "../../../settings/own-images.ts";
import { FILE, settingsOf, type Raw } from "../../support/runner-settings.ts";

const languages = (languageImages: Raw) => settingsOf({ languageImages }).languageImages;
const jobs = (jobImages: Raw) => settingsOf({ jobImages }).jobImages;

describe("the images of a stack's own", () => {
  it("are none where the stack says nothing", () => {
    expect(settingsOf({})).toMatchObject({ languageImages: {}, jobImages: {} });
    expect(ownImageNames(settingsOf({}))).toEqual([]);
  });

  it("have every default filled in, the language by the image's name", () => {
    const unset = { base: undefined, certificates: undefined };
    // As YAML has a key with nothing behind it.
    expect(languages({ golang: null })).toEqual({
      golang: { language: "golang", variant: "slim", clouds: [], uid: undefined, gid: undefined, ...unset },
    });
    expect(jobs({ python: null })).toEqual({ python: { ...unset, entrypoint: undefined, powershell: true } });
  });

  it("say all that a stack says, each cloud once", () => {
    const base = "mirror.example/debian:12";
    const own = { language: "python", variant: "tools", uid: 1000, gid: 0, base, certificates: "ca:1" };
    const { ops } = languages({ ops: { ...own, clouds: ["azure", "aws", "aws"] } });
    expect(ops).toEqual({ ...own, clouds: ["aws", "azure"] });
    const job = { base, entrypoint: "e:1", certificates: "ca:1", powershell: false };
    expect(jobs({ kubernetes: job })).toEqual({ kubernetes: job });
  });

  it("have names below the registry that no other image has", () => {
    const settings = settingsOf({ languageImages: { golang: {}, yaml: {} }, jobImages: { base: {} } });
    expect(ownImageNames(settings)).toEqual(["language-golang", "language-yaml", "job-base"]);
  });

  it.each<[string, Raw, string]>([
    ["a name that is no language", { tool: {} }, "tool.language is not set"],
    ["a language that has no image", { tool: { language: "rust" } }, 'tool.language is "rust", which is none of its'],
    ["tools in a slim image", { golang: { clouds: ["aws"] } }, "golang.clouds is set, and a slim image has no tools"],
    ["an unknown cloud", { golang: { variant: "tools", clouds: ["gcp"] } }, 'golang.clouds[0] is "gcp", which is none'],
    ["root as its user", { golang: { uid: 0 } }, "golang.uid must be a whole number of at least 1"],
    ["a base that is no image", { golang: { base: "Debian 12" } }, 'golang.base is "Debian 12", which is no image'],
    ["a name that no registry takes", { Golang: { language: "golang" } }, "Golang has a name that cannot be used"],
    ["a key that is none", { golang: { varient: "slim" } }, "golang.varient is not a setting"],
  ])("refuse %s", (_, about, message) => {
    expect(() => languages(about)).toThrow(message);
    expect(() => languages(about)).toThrow(`${FILE}: kiln:languageImages.`);
  });

  it.each<[string, Raw, string]>([
    ["an image that there is not", { pyhton: {} }, "kiln:jobImages.pyhton is not a setting"],
    ["a key that is none", { python: { pwsh: true } }, "kiln:jobImages.python.pwsh is not a setting"],
    ["an entrypoint that is no image", { base: { entrypoint: "a b" } }, 'base.entrypoint is "a b", which is no image'],
  ])("for jobs refuse %s", (_, about, message) => {
    expect(() => jobs(about)).toThrow(message);
  });
});
