// What surrounds a client app: mails, the bank's page, the operator, pictures. Nothing here knows the API's shapes.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

/** Seconds to wait for what has to happen: only a fault takes so long, however busy the machine is. */
const WAIT_LIMIT = 180;

export const BASE = setting("PLATFORM_URL");
export const PASSWORD = "a long enough passphrase";

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run.py does it`);
  return value;
}

/** Ask again and again until it gives something. */
export async function until<T>(what: string, find: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + WAIT_LIMIT * 1000;
  while (Date.now() < deadline) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`waited in vain for ${what}`);
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

/** What stands behind the last slash of an address. */
export function lastPart(address: string): string {
  return new URL(address).pathname.split("/").at(-1) ?? "";
}

/** The token of the mail that asks to verify an address, from the development mailbox. */
export function mailedToken(address: string): Promise<string> {
  return until(`a mail to ${address}`, async () => {
    const answer = await fetch(`${BASE}/mailbox/messages?to=${encodeURIComponent(address)}`);
    return /verify-email\?token=([\w-]+)/.exec(await answer.text())?.[1];
  });
}

/** Run an operator's command, such as `publish_campaign`. */
export async function operator(...words: string[]): Promise<void> {
  await promisify(execFile)(setting("PYTHON"), ["manage.py", ...words], { cwd: setting("ROOT") });
}

export function picture(name: "cover" | "front" | "selfie"): File {
  const bytes = readFileSync(`${setting("PICTURES")}/${name}.jpg`);
  return new File([bytes], `${name}.jpg`, { type: "image/jpeg" });
}

/** Confirm a payment on the bank's page, as a browser does. */
export async function approvePayment(address: string): Promise<void> {
  const page = await fetch(address, { headers: { Accept: "text/html" } });
  const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
  const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
  const answer = await fetch(address, {
    method: "POST",
    headers: { Cookie: cookie, Origin: BASE, Referer: address },
    body: new URLSearchParams({ csrfmiddlewaretoken: token, answer: "approve" }),
  });
  check(answer.ok, `the bank's page answers ${answer.status}`);
}
