/** workerd runs this: batches in the body of a request, replies in the body of the response. */
import { answerLines } from "../answer.mjs";

export default {
  async fetch(request) {
    return new Response(answerLines(await request.text()));
  },
};
