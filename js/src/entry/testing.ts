/**
 * Flags for tests: no network, no snapshot, no WebAssembly.
 *
 * @packageDocumentation
 */
export { createTestFlags, type Asked, type TestFlags } from "../testing/flags.js";
export { fixedClock, type FixedClock } from "../testing/clock.js";
