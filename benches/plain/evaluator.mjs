/**
 * Feature flags in plain JavaScript, as well as that can be done: the alternative to a WASM module.
 *
 * Compiled once; nothing is asynchronous; a property is read, lower-cased or parsed once an evaluation; a
 * test that several flags share is asked once; a flag hashes a bucketing value at most once for its rollout
 * and once for its variant, and only when a condition needs it. It answers as posthog-node does, and
 * `compile` refuses definitions with anything that the benchmark's generator does not write.
 */
import { Answers, answerOf } from "./answers.mjs";
import { DEPENDENCY, FIRST_VARIANT, HOLDOUT, MISSING, UNSUPPORTED } from "./codes.mjs";
import { Compiler } from "./compile.mjs";
import { hashOf, Prefix, ROLLOUT, Subject, VARIANT } from "./hash.mjs";
import { compareVersions, timeBefore } from "./order.mjs";
import { AFTER, BEFORE, COHORT, CONTAINS, ENDS, EXACT, FLAG, GT, GTE, LT, LTE, PRESENT, REGEX, STARTS, Test, VERSION, WITHIN } from "./tests.mjs";

export class PlainEvaluator {
  #compiler;
  #everything;
  #epoch = 0;
  #user;
  #now = NaN;
  #person;
  /** Group type -> its subject, for the groups of this user. */
  #groups = new Map();

  /** @param {object} definitions PostHog's definitions, parsed */
  constructor(definitions) {
    this.#compiler = new Compiler(definitions);
  }

  /** All flags; values, payloads and reasons are looked up when they are asked for. */
  all(user) {
    const { flags, fixed, dynamic } = (this.#everything ??= this.#compiler.everything());
    this.#begin(user);
    const codes = fixed.slice();
    for (let index = 0; index < dynamic.length; index++) codes[dynamic[index].index] = this.#flag(dynamic[index]);
    return new Answers(flags, codes, this.#compiler);
  }

  /** Some flags; unknown keys are ignored. */
  some(keys, user) {
    const flags = [];
    for (const key of keys) {
      const flag = this.#compiler.flag(key);
      if (flag !== undefined) flags.push(flag);
    }
    this.#begin(user);
    const codes = new Int16Array(flags.length);
    for (let index = 0; index < flags.length; index++) codes[index] = this.#flag(flags[index]);
    return new Answers(flags, codes, null);
  }

  one(key, user) {
    const flag = this.#compiler.flag(key);
    if (flag === undefined) return undefined;
    this.#begin(user);
    return answerOf(flag, this.#flag(flag));
  }

  #begin(user) {
    this.#epoch++;
    this.#user = user;
    this.#now = NaN;
    this.#person = undefined;
    if (this.#groups.size > 0) this.#groups.clear();
  }

  #time() {
    if (Number.isNaN(this.#now)) this.#now = Date.now();
    return this.#now;
  }

  #flag(flag) {
    if (flag.epoch === this.#epoch) return flag.code;
    flag.epoch = this.#epoch;
    return (flag.code = this.#flagCode(flag));
  }

  #flagCode(flag) {
    if (flag.fixed !== null) return flag.fixed;
    let subject;
    if (flag.group !== null) {
      if (!(flag.group in (this.#user.groups ?? {}))) return 0;
      subject = this.#group(flag.group);
    } else {
      subject = this.#person ??= new Subject(String(this.#user.distinctId));
    }
    if (flag.holdout !== null) {
      if (subject.holdout < 0) subject.holdout = hashOf(flag.holdout.prefix, subject, ROLLOUT);
      if (subject.holdout <= flag.holdout.share) return HOLDOUT;
    }
    let reason = 0;
    let hash = -1;
    for (const condition of flag.conditions) {
      const outcome = this.#condition(condition);
      if (outcome === 0) continue;
      if (outcome < 0) {
        reason = reason === 0 || outcome > reason ? outcome : reason;
        continue;
      }
      if (condition.share < 1) {
        if (condition.share <= 0) continue;
        if (hash < 0) hash = hashOf(prefixOf(flag), subject, ROLLOUT);
        if (hash > condition.share) continue;
      }
      return condition.override > 0 ? condition.override : this.#variant(flag, subject);
    }
    return reason;
  }

  #group(type) {
    let subject = this.#groups.get(type);
    if (subject === undefined) this.#groups.set(type, (subject = new Subject(String(this.#user.groups[type]))));
    return subject;
  }

  #variant(flag, subject) {
    const { ends } = flag;
    if (ends.length === 0) return 1;
    const hash = hashOf(prefixOf(flag), subject, VARIANT);
    for (let index = 0; index < ends.length; index++) if (hash < ends[index]) return FIRST_VARIANT + index;
    return 1;
  }

  /** 1 if all tests hold, 0 if one does not, else the strongest reason. */
  #condition({ tests }) {
    let reason = 0;
    for (let index = 0; index < tests.length; index++) {
      const result = this.#test(tests[index]);
      if (result === 0) return 0;
      if (result < 0 && (reason === 0 || result > reason)) reason = result;
    }
    return reason === 0 ? 1 : reason;
  }

  #test(test) {
    if (test.epoch === this.#epoch) return test.result;
    test.epoch = this.#epoch;
    const result = this.#ask(test);
    return (test.result = result < 0 ? result : result ^ test.negate);
  }

  #ask(test) {
    const { op } = test;
    if (op === COHORT) return this.#node(test.cohort);
    if (op === FLAG) return this.#dependency(test);
    const { slot } = test;
    if (slot.epoch !== this.#epoch) slot.read(this.#user, this.#epoch);
    if (!slot.present) return MISSING;
    if (op === PRESENT) return 1;
    if (slot.value === undefined) return UNSUPPORTED;
    if (op === EXACT) return exact(test, slot);
    if (op <= ENDS) {
      const text = slot.asciiLowered();
      return (op === CONTAINS ? text.includes(test.text) : op === STARTS ? text.startsWith(test.text) : text.endsWith(test.text)) ? 1 : 0;
    }
    if (op === REGEX) return slot.isPlainText() ? (test.regex.test(slot.value) ? 1 : 0) : UNSUPPORTED;
    if (slot.value === null) return 0;
    if (op <= LTE) return numeric(test, slot) ? 1 : 0;
    if (op === BEFORE || op === AFTER) {
      const time = slot.asTime();
      if (Number.isNaN(time)) return MISSING;
      const limit = test.unit === "" ? test.time : timeBefore(this.#time(), test.amount, test.unit);
      return (op === BEFORE ? time < limit : time > limit) ? 1 : 0;
    }
    const version = slot.asVersion();
    if (version === null) return MISSING;
    if (op === VERSION) return (test.accept >> (1 + compareVersions(version, test.lower))) & 1;
    if (op === WITHIN) return compareVersions(version, test.lower) >= 0 && compareVersions(version, test.upper) < 0 ? 1 : 0;
    throw new Error(`no such test: ${op}`);
  }

  #node(node) {
    if (node.epoch === this.#epoch) return node.result;
    node.epoch = this.#epoch;
    return (node.result = this.#members(node));
  }

  /** All or any of a cohort's members; a reason counts only if no member decides. */
  #members({ all, members }) {
    let reason = 0;
    for (let index = 0; index < members.length; index++) {
      const member = members[index];
      const result = member instanceof Test ? this.#test(member) : this.#node(member);
      if (result < 0) reason = reason === 0 || result > reason ? result : reason;
      else if ((result === 1) !== all) return result;
    }
    if (reason !== 0) return reason;
    return all ? 1 : 0;
  }

  #dependency({ chain, expected }) {
    let code = 0;
    for (const flag of chain) {
      code = this.#flag(flag);
      if (code < 0) return DEPENDENCY;
    }
    if (expected === true) return code === 0 ? 0 : 1;
    return chain[chain.length - 1].values[code] === expected ? 1 : 0;
  }
}

const prefixOf = (flag) => (flag.prefix ??= new Prefix(`${flag.key}.`));

function exact(test, slot) {
  const number = slot.exactNumber();
  if (number > 0) return number < 32 ? (test.mask >>> number) & 1 : test.more !== null && test.more.has(number) ? 1 : 0;
  if (number === 0) return 0;
  return typeof slot.value === "number" && test.booleanLike ? 0 : MISSING;
}

function numeric(test, slot) {
  const number = slot.asNumber();
  const comparable = Number.isFinite(number) && Number.isFinite(test.number);
  const left = comparable ? number : String(slot.value);
  const right = comparable ? test.number : test.text;
  switch (test.op) {
    case GT: return left > right;
    case GTE: return left >= right;
    case LT: return left < right;
    default: return left <= right;
  }
}
