/** Calls to the file system that are under way at once: more would only wait for each other. */
const WIDTH = 16;

/** Does `work` on every item, several at a time. Ends with the first error, after what was under way. */
export async function concurrently<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  width = WIDTH,
): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const item = items[next++] as T;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, worker));
  const broken = ends.find((end) => end.status === "rejected");
  if (broken) throw broken.reason;
}
