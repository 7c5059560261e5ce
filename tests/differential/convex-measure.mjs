/** Counts how @posthog/convex differs from posthog-node over the documents of a seed. */
import { compareWithConvex, UNEXPLAINED } from "./convex-compare.mjs";
import { documentOf, TOPICS } from "./documents.mjs";

/**
 * Asks as many cases as `least` says, or a few more.
 * @returns counts: by topic, and for each rule the differences it makes by itself and with others
 */
export async function measure({ seed, cases: least }) {
  const counts = { cases: 0, documents: 0, refused: 0, topics: Object.fromEntries(TOPICS.map((topic) => [topic, { cases: 0, alone: 0, "among all": 0 }])), rules: {}, unexplained: [] };
  for (let number = 0; counts.cases < least; number += 1) {
    const document = documentOf(seed, number);
    const { cases, refused, differences } = await compareWithConvex(document);
    const topic = counts.topics[document.topic];
    counts.documents += 1;
    counts.refused += Number(refused);
    counts.cases += cases;
    topic.cases += cases;
    for (const difference of differences) {
      topic[difference.way] += 1;
      if (difference.rules.includes(UNEXPLAINED)) counts.unexplained.push({ document, number, difference });
      for (const rule of difference.rules) {
        counts.rules[rule] ??= { alone: 0, together: 0 };
        counts.rules[rule][difference.rules.length === 1 ? "alone" : "together"] += 1;
      }
    }
  }
  return counts;
}
