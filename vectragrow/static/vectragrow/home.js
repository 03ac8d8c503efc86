// Keeps the states of the parts on the home page fresh without reloading it.
const WORDS = { ready: "Everything is running", degraded: "Running, with something missing", unavailable: "Not available" };

async function refresh() {
  if (document.hidden) return;
  let report;
  try {
    report = await (await fetch("/readyz", { headers: { Accept: "application/json" } })).json();
  } catch {
    report = { status: "unavailable", parts: {} };
  }
  const state = document.querySelector("[data-state]");
  state.className = `state ${report.status}`;
  if (state.textContent.trim() !== WORDS[report.status]) state.textContent = WORDS[report.status];
  for (const [name, part] of Object.entries(report.parts)) {
    const row = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
    if (!row) continue;
    row.className = part.status;
    row.querySelector(".detail").textContent = part.detail;
    row.querySelector(".said").textContent = part.status;
  }
}

setInterval(refresh, 5000);
