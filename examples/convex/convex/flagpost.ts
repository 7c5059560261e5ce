// What `refresher run --store convex:URL` calls, and actions to read the snapshot. The file's name matters:
// the refresher asks for `flagpost:commit`. All of them are internal.
export { commit, read, remove, setFlagDefinitions, snapshot, stage, sweep } from "flagpost/convex";
