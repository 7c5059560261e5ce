/** The evaluator in plain JavaScript of benches/plain. */
import { PlainEvaluator } from "../plain/evaluator.mjs";

export const name = "plain JavaScript";
export const stored = "definitions";

export const open = (text) => new PlainEvaluator(JSON.parse(text));
export const ready = (evaluator) => evaluator;
export const close = () => {};

export const all = (evaluator, user, key) => evaluator.all(user).value(key);
export const one = (evaluator, user, key) => evaluator.one(key, user);
export const some = (evaluator, user, keys) => evaluator.some(keys, user).toObjects();
export const object = (evaluator, user) => evaluator.all(user).toObjects();
export const answers = object;
