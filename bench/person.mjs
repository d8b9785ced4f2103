// The person with the phone: looks at the page, taps Approve.
import { Agent, request } from "node:http";

// A browser that shows the page holds a connection to it, so the tap does not pay for one.
const agent = new Agent({ keepAlive: true });

/** Opens the page of a request. The result taps Approve on it, for the whole window, and resolves with the answer. */
export async function look(link) {
  const page = await exchange(link, { method: "GET" });
  const seal = /name="seal" value="([^"]+)"/.exec(page.body)?.[1];
  if (page.status !== 200 || seal === undefined) throw new Error(`the page answered ${page.status} without a form`);
  const ticked = [...page.body.matchAll(/\bname="item"\s+value="(\d+)"/g)].map(([, at]) => ["item", at]);
  const body = new URLSearchParams([
    ["seal", seal],
    ["verdict", "approve"],
    ["choice", "window"],
    ...ticked,
  ]).toString();
  const headers = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Content-Length": String(Buffer.byteLength(body)),
    Origin: new URL(link).origin,
    "Sec-Fetch-Site": "same-origin",
  };
  return {
    tapApprove: async () => {
      const { status } = await exchange(link, { method: "POST", headers, body });
      if (status !== 303) throw new Error(`approving was answered with ${status}`);
    },
  };
}

/** Closes the connections that are kept. */
export function lookAway() {
  agent.destroy();
}

function exchange(link, { body, ...options }) {
  return new Promise((resolve, reject) => {
    const out = request(link, { agent, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode, body: text }));
      response.on("error", reject);
    });
    out.on("error", reject);
    out.end(body);
  });
}
