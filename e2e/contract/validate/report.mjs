// What validators have in common.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/** Reads a file with a JSON value on each line. */
export const readLines = (file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** A report collects what is wrong, each thing once. */
export class Report {
  names = [];
  #bad = new Map();

  /** Notes that something was looked at. */
  seen(name) {
    this.names.push(name);
  }

  bad(name, why, value) {
    const key = `${name}: ${why}`;
    if (!this.#bad.has(key)) this.#bad.set(key, value);
  }

  /** Whether something is wrong. */
  get failed() {
    return this.#bad.size > 0;
  }

  /** Says what differs, if anything does. */
  equal(name, got, want) {
    if (!isDeepStrictEqual(got, want)) this.bad(name, `differs at ${[...difference(want, got), ...difference(got, want)].join(', ')}`, want);
  }

  /** Prints the report and exits; nothing to look at is a failure too. */
  end(what) {
    for (const [key, value] of this.#bad) {
      console.error(`BAD ${key}`);
      if (value !== undefined) console.error(`    ${JSON.stringify(value).slice(0, 2000)}`);
    }
    if (this.names.length === 0) console.error('BAD nothing was recorded');
    console.log(`   ${this.names.length} ${what}, ${this.#bad.size} problems`);
    process.exit(this.#bad.size > 0 || this.names.length === 0 ? 1 : 0);
  }
}

/** The paths in a that b does not have, or has with another value. */
export function difference(a, b, path = '') {
  if (isDeepStrictEqual(a, b)) return [];
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return [path || 'the whole'];
  return Object.keys(a).flatMap((key) => difference(a[key], b?.[key], path === '' ? key : `${path}.${key}`));
}
