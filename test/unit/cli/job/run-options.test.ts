import { expect, it } from "vitest";
import { describedJob } from "../../../../cli/job/run-options.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

it("an address for the result stands in the description", async () => {
  const values = { image: "kiln-job:1", script: "job", repo: await temporaryDirectory() };
  expect(await describedJob(values, [])).not.toHaveProperty("result_url");
  const described = await describedJob({ ...values, "result-url": "https://results.example/" }, []);
  expect(described.result_url).toBe("https://results.example/");
});

it.each([
  [{}, 3600],
  [{ timeout: "2h" }, 7200],
  [{ timeout: "2h", grace: "10m" }, 7200],
])("a job of %j leaves its script %i s", async (options, script) => {
  const values = { image: "kiln-job:1", script: "job", repo: await temporaryDirectory(), ...options };
  const { timeouts } = await describedJob(values, []);
  const left = timeouts.job - timeouts.grace - timeouts.finish;
  expect(left).toBeGreaterThanOrEqual(Object.hasOwn(options, "timeout") ? script : script - 20);
});
