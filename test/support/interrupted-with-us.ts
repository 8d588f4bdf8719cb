import type { ChildProcess } from "node:child_process";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Interrupts a child that leads a process group of its own once this process is interrupted or ends: it gets one SIGINT, to
 * clean up behind itself, wherever Ctrl-C was pressed. Forgotten once the child has ended.
 */
export function interruptWithUs(child: ChildProcess): void {
  let told = false;
  const interrupt = () => {
    if (told || child.pid === undefined) return;
    told = true;
    try {
      process.kill(-child.pid, "SIGINT");
    } catch {
      // It ended by itself.
    }
  };
  // Not once: a second signal would end this process before its own listeners have.
  for (const signal of SIGNALS) process.on(signal, interrupt);
  process.on("exit", interrupt);
  child.once("close", () => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    process.off("exit", interrupt);
  });
}
