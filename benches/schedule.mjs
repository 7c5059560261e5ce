/** The rounds: contenders take turns, and whoever began one round is the last of the next. */
const MOST_CALLS = 200_000;

/**
 * Measures every case.
 *
 * @param {{names: Record<string, string[]>, time: (name: string, contender: string, part: "run" | "idle", calls: number) => Promise<number>, rounds: number, turnMs: number}} plan
 *   `names`: case -> contenders; `time` gives the milliseconds of so many calls, or of what surrounds them
 * @returns {Promise<Record<string, Record<string, {calls: number, us: number[]}>>>} microseconds per call, one for each round
 */
export async function measure({ names, time, rounds, turnMs }) {
  const results = {};
  for (const [name, contenders] of Object.entries(names)) {
    const turns = [];
    for (const contender of contenders) turns.push({ contender, us: [], calls: await enough((calls) => time(name, contender, "run", calls), turnMs) });
    for (let round = 0; round < rounds; round++) {
      for (const { contender, calls, us } of [...turns.slice(round % turns.length), ...turns.slice(0, round % turns.length)]) {
        const idle = await time(name, contender, "idle", calls);
        us.push(((await time(name, contender, "run", calls)) - idle) * (1000 / calls));
      }
    }
    results[name] = Object.fromEntries(turns.map(({ contender, calls, us }) => [contender, { calls, us }]));
  }
  return results;
}

/** How many calls fill a turn; finding out warms up. */
async function enough(time, turnMs) {
  let calls = 1;
  while (true) {
    // Of two, so that an interruption is not taken for work.
    const ms = Math.min(await time(calls), await time(calls));
    if (ms >= turnMs * 0.7 || calls === MOST_CALLS) return calls;
    calls = Math.min(MOST_CALLS, Math.ceil(calls * Math.min(8, Math.max(1.3, turnMs / ms))));
  }
}
