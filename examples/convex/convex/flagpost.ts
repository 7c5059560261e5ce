// What `refresher run --store convex:URL` calls. The file's name matters: the refresher asks for
// `flagpost:commit`.
export { commit, read, remove, stage, sweep } from "flagpost/convex";
