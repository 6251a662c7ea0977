// What the clients have in common: they note each step that they are to take,
// and end well only if they have taken all of them.

/** A script knows which steps a client has to take, in any order. */
export class Script {
  #open;

  constructor(...steps) {
    this.#open = new Set(steps);
  }

  /** Notes that a step was taken. */
  done(step) {
    if (!this.#open.delete(step)) this.fail(new Error(`"${step}" was taken twice or is not a step`));
    console.log(`${step}: ok`);
  }

  /** Runs a handler; what it throws ends the client. */
  guard(handler) {
    return async (...args) => {
      try {
        return await handler(...args);
      } catch (error) {
        this.fail(error);
      }
    };
  }

  fail(error) {
    console.error(error?.stack ?? error);
    for (const detail of [error?.rawError, error?.data, error?.body, error?.original?.data]) {
      if (detail) console.error(JSON.stringify(detail));
    }
    process.exit(1);
  }

  /** Exits, with 1 if a step is missing. */
  finish() {
    if (this.#open.size > 0) this.fail(new Error(`not done: ${[...this.#open].join(', ')}`));
    process.exit(0);
  }

  /** Waits for the end of the input, closes and finishes. */
  finishAtEnd(close) {
    process.stdin.resume();
    process.stdin.on(
      'end',
      this.guard(async () => {
        await close();
        this.finish();
      }),
    );
  }
}
