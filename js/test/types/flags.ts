import { createFlags, createExposures, load, remoteFallback, type Flags, type Reader, type UserFlags } from "flagpost";
import { createTestFlags, fixedClock } from "flagpost/testing";

interface MyFlags {
  "new-checkout": { value: boolean };
  coloured: { value: "blue" | "red" | false; payload: { hex: string } };
}

declare const reader: Reader;
const typed: Flags<MyFlags> = createFlags<MyFlags>({
  reader,
  overrides: { coloured: { value: "red", payload: { hex: "#f00" } }, "new-checkout": true },
});
const user: UserFlags<MyFlags> = await typed.forUser({ distinctId: "u" });
const enabled: boolean = user.isEnabled("new-checkout", true);
const colour: "blue" | "red" | false | undefined = user.getFeatureFlag("coloured");
const always: "blue" | "red" | false = user.getFeatureFlag("coloured", "blue");
const hex: string | undefined = user.getFeatureFlagPayload("coloured")?.hex;
const { value, payload } = user.getFeatureFlagResult("coloured");
const all: { coloured?: "blue" | "red" | false; "new-checkout"?: boolean } = user.getAllFlags();
export const used = [enabled, colour, always, hex, value === "blue", payload?.hex, all.coloured, user.unresolved.coloured];

// @ts-expect-error no such flag
user.isEnabled("new-chekout");
// @ts-expect-error no such flag
user.getFeatureFlagPayload("other");
// @ts-expect-error no such variant
user.getFeatureFlag("coloured", "green");
// @ts-expect-error no such variant
if (user.getFeatureFlag("coloured") === "green") throw new Error();
// @ts-expect-error a flag without variants
const variant: string = user.getFeatureFlag("new-checkout", false);
// @ts-expect-error no such variant
createFlags<MyFlags>({ reader, overrides: { coloured: "green" } });
// @ts-expect-error no such flag
createFlags<MyFlags>({ reader, overrides: { other: true } });
// @ts-expect-error no such payload
createFlags<MyFlags>({ reader, overrides: { coloured: { value: "red", payload: { hex: 3 } } } });

const any = await createFlags({ reader: load({ flags: [] }), overrides: { whatever: "red" } }).forUser({ distinctId: "u" });
const loose: string | boolean | undefined = any.getFeatureFlag("whatever");
const unknown: unknown = any.getFeatureFlagPayload("whatever");
export const more = [variant, loose, unknown, any.getAllFlags()["whatever"]];

const tested = createTestFlags<MyFlags>({ coloured: "blue" });
tested.set("new-checkout", true);
// @ts-expect-error no such variant
tested.set("coloured", "green");
export const same: Flags<MyFlags> = tested;

const exposures = createExposures({ projectKey: "phc_a", beforeSend: (event) => ({ ...event, properties: {} }) });
export const full = createFlags<MyFlags>({ reader, exposures, remote: remoteFallback({ projectKey: "phc_a" }), now: fixedClock("2024-05-01") });
