/*
 * Draws the table of each figure as lines, with uPlot. The table is the truth: every number is read from it, and without
 * this script it remains. A column with data-line="solid|dashed|dotted" is a line; a cell without <data> is a gap.
 */
"use strict";

(() => {
  const DASHES = { solid: [], dashed: [6, 4], dotted: [2, 3] };
  const COLOURS = { solid: "--line-1", dashed: "--line-2", dotted: "--line-3" };
  const PRINTED = { "--line-1": "#000", "--line-2": "#444", "--line-3": "#000", "--quiet": "#333", "--line": "#ccc" };
  const language = document.documentElement.lang || "en";
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
  const longDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const charts = new Map();
  let isPrinted = false;

  /** A colour of the page as it is now, light or dark; on paper one that reads without colour. */
  const colour = (probe, name) => {
    if (isPrinted) return PRINTED[name];
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const columns = heads.map((head, index) => ({ index, name: head.textContent.trim(), style: head.dataset.line })).filter((column) => column.style);
    const rows = [...table.tBodies[0].rows];
    const number = (cell) => { const data = cell.querySelector("data"); return data && data.value !== "" ? Number(data.value) : null; };
    const days = rows.map((row) => Date.parse(`${row.cells[0].querySelector("time").dateTime}T00:00Z`) / 1000);
    return { dayName: heads[0].textContent.trim(), columns, data: [days, ...columns.map((column) => rows.map((row) => number(row.cells[column.index])))] };
  };

  /** The places of numbers between two gaps, which no line would show. */
  const lonely = (values) => [...values.keys()].filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);

  const formats = (currency) => {
    const money = currency ? { style: "currency", currency, currencyDisplay: "narrowSymbol" } : {};
    const short = new Intl.NumberFormat(language, { ...money, notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
    const full = new Intl.NumberFormat(language, money);
    return { short: (value) => short.format(value), full: (value) => full.format(value) };
  };

  const optionsFor = (figure, plot, { dayName, columns }, currency) => {
    const isSmall = figure.classList.contains("small");
    const write = formats(currency);
    const probe = document.createElement("span");
    probe.hidden = true;
    plot.append(probe);
    const axis = { stroke: () => colour(probe, "--quiet"), grid: { stroke: () => colour(probe, "--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return {
      ...sizeOf(figure, plot),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      padding: isSmall ? [4, 4, 4, 4] : [12, 14, 0, 0],
      legend: { show: !isSmall, markers: { dash: (_, index) => columns[index - 1].style } },
      cursor: isSmall ? { show: false } : { y: false, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.06 : 1] } },
      axes: [
        { ...axis, show: !isSmall, grid: { show: false }, size: 30, space: 70, values: (_, moments) => moments.map((moment) => day.format(moment * 1000)), incrs: [1, 2, 7, 14, 28, 56, 91].map((days) => days * 86400) },
        { ...axis, show: !isSmall, size: (self, values) => Math.max(34, 14 + 7 * Math.max(0, ...(values ?? []).map((text) => text.length))), incrs: currency ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500].flatMap((step) => [step, step * 1e3, step * 1e6]).sort((one, other) => one - other), values: (_, numbers) => numbers.map(write.short) },
      ],
      series: [
        { label: dayName, value: (_, moment) => (moment == null ? "" : longDay.format(moment * 1000)) },
        ...columns.map(({ name, style }) => ({
          label: name,
          stroke: () => colour(probe, COLOURS[style]),
          width: style === "solid" ? 2 : 1.5,
          dash: DASHES[style],
          points: { show: false, filter: (self, line) => lonely(self.data[line]), size: 5, fill: () => colour(probe, COLOURS[style]) },
          value: (_, value) => (value == null ? "–" : write.full(value)),
        })),
      ],
    };
  };

  const sizeOf = (figure, plot) => {
    const width = Math.max(160, isPrinted ? Math.min(plot.clientWidth, 640) : plot.clientWidth);
    return { width, height: figure.classList.contains("small") ? 56 : Math.max(180, Math.min(280, width * 0.45)) };
  };

  const draw = (figure) => {
    const table = figure.querySelector("details table"), plot = figure.querySelector("[data-plot]");
    const found = read(table);
    const known = charts.get(plot);
    if (known) known.setData(found.data);
    else {
      charts.set(plot, plot.chart = new uPlot(optionsFor(figure, plot, found, table.dataset.currency), found.data, plot));
      sizes.observe(plot);
    }
  };

  /** Draws what is on the page now, and forgets what has left it. */
  const drawAll = () => {
    for (const [plot, chart] of charts) {
      if (plot.isConnected) continue;
      sizes.unobserve(plot);
      chart.destroy();
      charts.delete(plot);
    }
    document.querySelectorAll("figure.chart").forEach(draw);
  };

  const fit = (plot) => charts.get(plot)?.setSize(sizeOf(plot.closest("figure"), plot));
  const sizes = new ResizeObserver((entries) => { for (const { target } of entries) fit(target); });
  const repaint = () => { for (const chart of charts.values()) chart.redraw(false); };
  const print = (starts) => {
    isPrinted = starts;
    for (const plot of charts.keys()) fit(plot);
    repaint();
  };

  new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  matchMedia("print").addEventListener("change", (event) => print(event.matches));
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  document.addEventListener("figures-changed", drawAll);
  drawAll();
})();
