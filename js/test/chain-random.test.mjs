/** Random histories of three sources, against the rules of a chain written down without any conditional read. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createReader } from "flagpost";
import { compiledSnapshot } from "./compiler.mjs";
import { definitions, flag } from "./definitions.mjs";

const TTL = 60;
const NEGATIVE_TTL = 5;
const START = Date.UTC(2024, 4, 1);
const STEPS = 300;

function randomFrom(seed) {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

const made = new Map();
/** The snapshot of a source that PostHog confirmed at an hour; the same bytes each time. */
function snapshot(name, hour) {
  const key = `${name}-${hour}`;
  const time = new Date(START + hour * 3_600_000).toISOString();
  if (!made.has(key)) made.set(key, { key, hour, bytes: compiledSnapshot({ checked_at: time, fetched_at: time }, definitions(flag(key))) });
  return made.get(key);
}

function sourceOf(name) {
  const source = {
    describe: name,
    content: null,
    reads: 0,
    whole: 0,
    async read(previous) {
      source.reads++;
      const { content } = source;
      if (content instanceof Error) throw content;
      if (content === null) return null;
      if (previous?.version === content.key) return "unchanged";
      source.whole++;
      return { bytes: content.bytes.slice(), version: content.key };
    },
  };
  return source;
}

/** The rules: in order, the first that is good; one further back only if it is newer; soon again after a failure. */
function modelOf(sources) {
  let atHand = null;
  let nextMs = 0;
  let reads = 0;
  return {
    ask(nowMs) {
      if (nowMs < nextMs) return atHand?.key;
      let failures = 0;
      for (const [place, { content }] of sources.entries()) {
        reads++;
        if (content === null || content instanceof Error) failures++;
        else {
          if (atHand === null || place <= atHand.place || content.hour > atHand.hour) atHand = { ...content, place };
          break;
        }
      }
      nextMs = nowMs + (failures === 0 ? TTL : NEGATIVE_TTL) * 1000;
      return atHand?.key;
    },
    reads: () => reads,
  };
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`a chain keeps to its rules in a random history (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    const sources = ["A", "B", "C"].map(sourceOf);
    const model = modelOf(sources);
    mock.timers.enable({ apis: ["Date"], now: START + 86_400_000 });
    try {
      const reader = createReader({ source: sources, ttl: TTL, negativeTtl: NEGATIVE_TTL, onError() {} });
      for (let step = 0; step < STEPS; step++) {
        mock.timers.tick([0, 1, 4, 5, 30, 60][random(6)] * 1000);
        const changed = sources[random(sources.length)];
        const what = random(4);
        changed.content = [null, new Error("down"), snapshot(changed.describe, random(6)), changed.content][what];
        const expected = model.ask(Date.now());
        const found = await reader.current().then(({ flagKeys }) => flagKeys.join(), () => undefined);
        assert.equal(found, expected, `step ${step}`);
      }
      const reads = sources.reduce((sum, source) => sum + source.reads, 0);
      assert.equal(reads, model.reads());
      assert.ok(sources.reduce((sum, { whole }) => sum + whole, 0) < reads / 2, "most reads are conditional");
    } finally {
      mock.timers.reset();
    }
  });
}
