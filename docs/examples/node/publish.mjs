// A border post in Node (18 or newer, no packages): sends events through the gateway and sees to it that each arrives.
//
// Usage: node publish.mjs http://127.0.0.1:8480 < events.jsonl   with the token in SHEKARA_TOKEN.
// Each line is one event as docs/events.md describes it. Prints one result a line; ends with 1 if any event was refused.

import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const BATCH = 500;
const [gateway] = process.argv.slice(2);
const token = process.env.SHEKARA_TOKEN;
if (!gateway || !token) {
  console.error('Usage: SHEKARA_TOKEN=… node publish.mjs http://127.0.0.1:8480 < events.jsonl');
  process.exit(2);
}

/** Sends until the gateway has an answer for good: what is sent twice is published once. */
async function publish(events) {
  for (let attempt = 0; ; attempt += 1) {
    let wait = Math.min(60, 2 ** attempt / 2) * (0.5 + Math.random() / 2);
    try {
      const response = await fetch(`${gateway}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(events),
      });
      if ([202, 207, 422].includes(response.status)) return (await response.json()).items;
      if (![429, 500, 503].includes(response.status)) {
        console.error(`The gateway answers ${response.status}: ${await response.text()}`);
        process.exit(3);
      }
      wait = Math.max(wait, Number(response.headers.get('retry-after') ?? 0));
    } catch (error) {
      console.error(`The gateway does not answer (${error.cause?.code ?? error.message}); trying again.`);
    }
    await pause(wait * 1000);
  }
}

let refused = 0;
let batch = [];
async function flush() {
  if (batch.length === 0) return;
  for (const item of await publish(batch)) {
    if (item.status === 'refused') refused += 1;
    console.log(JSON.stringify(item));
  }
  batch = [];
}
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== '') batch.push(JSON.parse(line));
  if (batch.length === BATCH) await flush();
}
await flush();
process.exit(refused === 0 ? 0 : 1);
