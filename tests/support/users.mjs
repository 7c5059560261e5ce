/** The users of the fixtures, and many more that differ only in what a share of users depends on. */
import { readFileSync } from "node:fs";

export const FIXTURE_USERS = JSON.parse(readFileSync(new URL("../fixtures/users.json", import.meta.url), "utf8"));

/** `count` users made from those of the fixtures in turn, each with ids of its own. */
export function crowd(count) {
  return Array.from({ length: count }, (_, index) => {
    const user = structuredClone(FIXTURE_USERS[index % FIXTURE_USERS.length]);
    user.distinctId = `user-${index}`;
    if (user.personProperties.$device_id) user.personProperties.$device_id = `device-${index}`;
    for (const type of Object.keys(user.groups ?? {})) user.groups[type] = `${type}-${index}`;
    return user;
  });
}
