/** Whether a promise settles before a signal comes. */
export async function settlesFirst(promise: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const quiet = new AbortController();
  const aborted = new Promise<boolean>((resolve) => {
    signal.addEventListener(
      "abort",
      () => {
        resolve(false);
      },
      { once: true, signal: quiet.signal },
    );
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, aborted]).finally(() => {
    quiet.abort();
  });
}
