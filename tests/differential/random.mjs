/** Random choices that a seed repeats: the same numbers on every machine and runtime. */

/** @param {number[]} seeds whole numbers; each of them changes everything that follows */
export function randomOf(...seeds) {
  let state = 0x9e3779b9;
  for (const seed of seeds) state = mix((state ^ seed) | 0) + Math.floor(seed / 4294967296);

  /** A number in [0, 1): mulberry32. */
  function next() {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  const random = {
    next,
    /** A whole number in [0, count). */
    below: (count) => Math.floor(next() * count),
    /** A whole number in [least, most]. */
    between: (least, most) => least + random.below(most - least + 1),
    chance: (share) => next() < share,
    pick: (list) => list[random.below(list.length)],
    /** As many things as `count` says, made one by one. */
    many: (count, make) => Array.from({ length: count }, (_, index) => make(index)),
    /** One of `[weight, make]`, called. */
    one: (...choices) => {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, make] of choices) {
        left -= weight;
        if (left < 0) return make();
      }
      return choices.at(-1)[1]();
    },
  };
  return random;
}

function mix(value) {
  let t = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  t = Math.imul(t ^ (t >>> 13), 0xc2b2ae35);
  return t ^ (t >>> 16);
}
