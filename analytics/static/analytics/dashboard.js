/*
 * Renews the dashboard every minute while it can be seen. Only what differs is changed, so focus, scrolling and open
 * tables stay. A renewal counts as use of the session only if somebody touched the page since the last one.
 */
"use strict";

(() => {
  const dashboard = document.getElementById("dashboard");
  if (!dashboard) return;
  const EVERY = 60_000, PATIENCE = 20_000;
  const notice = () => dashboard.querySelector("[data-notice]");
  let isUsed = false, timer = 0;

  for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
    addEventListener(kind, () => { isUsed = true; }, { capture: true, passive: true });
  }
  // Browsers also send this when something moves under a pointer that is still.
  addEventListener("pointermove", (event) => { if (event.movementX || event.movementY) isUsed = true; }, { passive: true });

  /** Makes an element of the page like a fresh one; what the charts draw and which tables are open is left alone. */
  const update = (old, fresh) => {
    if (old.hasAttribute("data-plot") || old.hasAttribute("data-notice")) return;
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    const here = [...old.childNodes], wanted = [...fresh.childNodes];
    if (here.length !== wanted.length || here.some((node, index) => node.nodeName !== wanted[index].nodeName)) {
      old.replaceChildren(...wanted);
      return;
    }
    here.forEach((node, index) => {
      if (node.nodeType === Node.ELEMENT_NODE) update(node, wanted[index]);
      else if (node.data !== wanted[index].data) node.data = wanted[index].data;
    });
  };

  const say = (text) => {
    const line = notice();
    if (line.textContent !== text) line.textContent = text;
    line.hidden = !text;
  };

  const end = () => {
    say(notice().dataset.ended);
    const link = document.createElement("a");
    link.href = dashboard.dataset.signIn;
    link.textContent = notice().dataset.again;
    notice().append(" ", link);
  };

  const renew = async () => {
    clearTimeout(timer);
    if (document.hidden) return; // visibilitychange goes on
    const headers = isUsed ? {} : { "X-Unattended": "1" };
    isUsed = false;
    let answer, text;
    try {
      answer = await fetch(dashboard.dataset.from, { headers, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      text = await answer.text();
    } catch {
      say(notice().dataset.lost);
      timer = setTimeout(renew, EVERY);
      return;
    }
    if (answer.type === "opaqueredirect") return end();
    const fresh = answer.ok && new DOMParser().parseFromString(text, "text/html").getElementById("dashboard");
    if (fresh) {
      update(dashboard, fresh);
      document.dispatchEvent(new Event("figures-changed"));
    }
    say(fresh ? "" : notice().dataset.refused);
    timer = setTimeout(renew, EVERY);
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) renew(); });
  addEventListener("online", renew);
  timer = setTimeout(renew, EVERY);
})();
