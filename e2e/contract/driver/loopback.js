// Loaded into local-slack before its own code: it has no option for the address
// that it listens on, and would take all of them.
const { serve } = Bun;
Bun.serve = (options) => serve({ ...options, hostname: '127.0.0.1' });
