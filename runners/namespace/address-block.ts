import { isIPv4, isIPv6 } from "node:net";

/** A block of addresses, `10.0.0.0/8` or `fd00::/8`: which family, its first address as a number, and its prefix. */
export interface AddressBlock {
  readonly text: string;
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Why a text is no block that a network policy takes, as the rest of a sentence; undefined where it is one. */
export function blockProblem(text: string): string | undefined {
  const block = parsed(text);
  if (block === undefined) return "is no network: write it as 10.0.0.0/8 or fd00::/8";
  if (block.first % blockSize(block) !== 0n)
    return "has bits behind its prefix: write the first address of the network";
  // Go, and with it Kubernetes, reads it as the IPv4 block that it means, and refuses it among others of IPv6.
  if (contains(IPV4_IN_IPV6, block)) return "is an IPv4 network in the dress of IPv6: write it as 10.0.0.0/8";
  return undefined;
}

const IPV4_IN_IPV6: AddressBlock = { text: "::ffff:0:0/96", family: 6, first: 0xffffn << 32n, prefix: 96 };

/** The block that a text means; throws where `blockProblem` has something to say. */
export function addressBlock(text: string): AddressBlock {
  const problem = blockProblem(text);
  const block = parsed(text);
  if (problem !== undefined || block === undefined) throw new TypeError(`${text} ${problem ?? ""}`);
  return block;
}

/** Whether every address of `inner` is in `outer`. */
export function contains(outer: AddressBlock, inner: AddressBlock): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false;
  return inner.first / blockSize(outer) === outer.first / blockSize(outer);
}

/** The block of one address. */
export function blockOfAddress(address: string): string {
  return `${address}/${isIPv4(address) ? BITS[4] : BITS[6]}`;
}

function blockSize({ family, prefix }: AddressBlock): bigint {
  return 1n << BigInt(BITS[family] - prefix);
}

function parsed(text: string): AddressBlock | undefined {
  const [, address = "", digits = ""] = /^([\d.:a-fA-F]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined;
  if (family === undefined || Number(digits) > BITS[family]) return undefined;
  return { text, family, first: family === 4 ? numberOfIPv4(address) : numberOfIPv6(address), prefix: Number(digits) };
}

function numberOfIPv4(address: string): bigint {
  return address.split(".").reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** The URL parser brings every spelling, also one that ends in an IPv4 address, to groups of hexadecimal digits. */
function numberOfIPv6(address: string): bigint {
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (part = "") => (part === "" ? [] : part.split(":"));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail)];
  return all.reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n);
}
