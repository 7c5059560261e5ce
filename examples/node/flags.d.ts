/*
 * The flags of this project. Written by `flagpost types`: write it again when flags were added or changed.
 *
 *   import type { Flags } from "./flags";
 *   export const flags = createFlags<Flags>({ … });
 */
/* eslint-disable */

export interface Flags {
  /** New checkout, half of the shoppers */
  "checkout-redesign": {
    value: boolean;
    payload: { "layout": string; "steps": number };
  };
  /** Coupon before the first order */
  "first-order-coupon": {
    value: boolean;
    payload: string;
  };
  /** Which pricing page sells */
  "pricing-experiment": {
    value: false | "annual-first" | "control" | "three-tiers";
    payload: { "badge"?: string; "discount"?: number; "highlight"?: string; "tiers"?: string[] };
  };
}
