import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { SharedAnswer } from "../../../../execution/job/shared-answer.ts";

/** A question that is answered when the test says so; `until` is what it was asked with. */
function question() {
  let [answer, until]: [(text: string) => void, AbortSignal] = [() => undefined, AbortSignal.abort()];
  const shared = new SharedAnswer<string>("the answer", (signal) => {
    until = signal;
    return new Promise((resolve) => (answer = resolve));
  });
  const say = (text: string) => {
    answer(text);
  };
  return { shared, answer: say, isGivenUp: () => until.aborted };
}

it("who stops waiting takes the answer from nobody else", async () => {
  const { shared, answer, isGivenUp } = question();
  const [first, never] = [new AbortController(), new AbortController().signal];
  const stopped = shared.before(first.signal);
  const others = [shared.before(never), shared.before(never)];
  first.abort();
  await expect(stopped).rejects.toMatchObject({ kind: "interrupted" });
  expect([shared.isWaitedFor, isGivenUp()]).toEqual([true, false]);
  answer("yes");
  expect(await Promise.all(others)).toEqual(["yes", "yes"]);
});

it("is given up once nobody waits, and says whose time was over", async () => {
  const { shared, isGivenUp } = question();
  const [short, canceled] = [AbortSignal.timeout(5), new AbortController()];
  const waiting = [shared.before(short), shared.before(canceled.signal)] as const;
  await expect(waiting[0]).rejects.toMatchObject({
    ...{ kind: "unreachable", message: "the answer did not come within the job's time" },
  });
  expect(isGivenUp()).toBe(false);
  canceled.abort();
  await expect(waiting[1]).rejects.toMatchObject({ kind: "interrupted" });
  expect([shared.isWaitedFor, isGivenUp()]).toEqual([false, true]);
});

it("an error is everybody's, and nobody's where nobody waits", async () => {
  const shared = new SharedAnswer("the answer", () => sleep(1).then(() => Promise.reject(new Error("no"))));
  const { signal } = new AbortController();
  await Promise.all([1, 2].map(() => expect(shared.before(signal)).rejects.toThrow("no")));
});
