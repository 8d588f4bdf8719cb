/** A PromQL selector: one value is matched as it is, several as one of them. */
export function matching(labels: Readonly<Record<string, string | readonly string[]>>): string {
  const matchers = Object.entries(labels).map(([label, value]) => {
    if (typeof value === "string") return `${label}=${quoted(value)}`;
    const [only, ...others] = value;
    if (only !== undefined && others.length === 0) return `${label}=${quoted(only)}`;
    return `${label}=~${quoted(value.map((name) => name.replace(/[^\w-]/g, "\\$&")).join("|"))}`;
  });
  return `{${matchers.join(",")}}`;
}

/** A PromQL string: its escapes are those of Go, of which JSON's are a part. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
