import { frontFrameOf } from "./frame.js";

/* Where a ruleset's predicates lie and how they say it: `engine/src/ruleset/layout.rs`, `engine/src/operator`. */
const WORD = 4;
const PREDICATES = 17 * WORD;
const PREDICATE = 4 * WORD;
const OPERATION = WORD;
const OP = 31;
const OP_DATE = 8;
const DETAIL = 8;
const DATE_KIND = 3;
const DATE_RELATIVE = 0;

/**
 * Whether answers from a snapshot that was loaded depend on the present: whether some flag or cohort has a
 * date like "30 days ago". True for a snapshot without a ruleset, of which nobody knows.
 */
export function readsClock(snapshot: ArrayBuffer): boolean {
  const code = frontFrameOf(new Uint8Array(snapshot))?.code;
  if (code === undefined) return true;
  const view = new DataView(snapshot, code.start, code.end - code.start);
  const first = view.getUint32(PREDICATES, true);
  const end = first + view.getUint32(PREDICATES + WORD, true) * PREDICATE;
  for (let at = first; at < end; at += PREDICATE) {
    const operation = view.getUint32(at + OPERATION, true);
    if ((operation & OP) === OP_DATE && ((operation >>> DETAIL) & DATE_KIND) === DATE_RELATIVE) return true;
  }
  return false;
}
