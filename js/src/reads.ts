/** What flags read of a user, by the numbers under which it travels. */
export class Reads {
  readonly slots: readonly number[];
  readonly names: readonly string[];
  readonly groupTypes: readonly number[];
  readonly groupNames: readonly string[];
  /** The slots of what a user is completed with, where it is read. */
  readonly distinctId: number | undefined;
  readonly groupKey: number | undefined;
  #byName: Map<string, number> | undefined;

  constructor(slots: readonly number[], names: readonly string[], groupTypes: readonly number[], groupNames: readonly string[]) {
    this.slots = slots;
    this.names = names;
    this.groupTypes = groupTypes;
    this.groupNames = groupNames;
    this.distinctId = slots[names.indexOf("distinct_id")];
    this.groupKey = slots[names.indexOf("$group_key")];
  }

  /** The slot of a property, if it is read. */
  slotOf(name: string): number | undefined {
    this.#byName ??= new Map(this.names.map((known, index) => [known, this.slots[index] as number]));
    return this.#byName.get(name);
  }
}

/** What any of several flags reads. */
export function union(all: readonly Reads[]): Reads {
  const slots = new Map<number, string>();
  const groupTypes = new Map<number, string>();
  for (const reads of all) {
    for (const [index, slot] of reads.slots.entries()) slots.set(slot, reads.names[index] as string);
    for (const [index, type] of reads.groupTypes.entries()) groupTypes.set(type, reads.groupNames[index] as string);
  }
  return new Reads([...slots.keys()], [...slots.values()], [...groupTypes.keys()], [...groupTypes.values()]);
}
