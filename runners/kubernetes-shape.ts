/**
 * The plain object that a class of Kubernetes' client describes: what a manifest is before anyone sends it. The client's
 * classes are used for their fields alone, and a date in a manifest is text.
 */
export type Shape<T> = T extends Date
  ? string
  : T extends readonly (infer Entry)[]
    ? Shape<Entry>[]
    : T extends object
      ? { [Key in keyof T]: Shape<T[Key]> }
      : T;
