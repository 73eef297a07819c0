"use strict";
// Draws figures from the tables beside them: the first column goes along the bottom. What it says
// in words are the tables' own texts, which are exact; heights on the screen need not be.
window.charts = (() => {
  const NANO = 1e9;
  const HEIGHT = 260;
  const drawn = new Set();
  const money = new Intl.NumberFormat("en-US", {
    style: "currency", currency: "USD", maximumSignificantDigits: 3, notation: "compact"});
  const count = new Intl.NumberFormat("en-US", {maximumSignificantDigits: 3, notation: "compact"});

  function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text || "";
    return made;
  }

  // Returns the table's columns: title, texts as shown, values as numbers.
  function read(table) {
    const rows = [...table.tBodies[0].rows];
    return [...table.tHead.rows[0].cells].map((head, column) => {
      const cells = rows.map((row) => row.cells[column]);
      return {
        title: head.textContent.trim(),
        texts: cells.map((cell) => cell.textContent.trim()),
        values: cells.map((cell) => Number(cell.querySelector("data")?.value ?? 0)),
      };
    });
  }

  // Returns what is painted, from the back to the front: piles are sums from the bottom.
  function layers(kind, parts) {
    if (kind !== "stack") return parts.map((part, n) => ({part, n, values: part.values}));
    const below = parts.length ? parts[0].values.map(() => 0) : [];
    return parts.map((part, n) => {
      part.values.forEach((value, i) => { below[i] += value; });
      return {part, n, values: [...below]};
    }).reverse();
  }

  function legend(figure, parts) {
    const list = element("ul", "legend");
    const swatches = parts.map((part, n) => {
      const item = element("li", "");
      item.append(element("i", `swatch s${n + 1}`), part.title);
      list.append(item);
      return item.firstChild;
    });
    figure.append(list);
    return swatches.map((swatch) => getComputedStyle(swatch).backgroundColor);
  }

  function tip(plot, columns, parts) {
    const box = element("div", "tip");
    box.setAttribute("aria-hidden", "true");
    plot.over.append(box);
    return (i) => {
      box.hidden = i === null;
      if (i === null) return;
      box.replaceChildren(element("b", "", columns[0].texts[i]));
      parts.forEach((part, n) => {
        if (!part.values[i]) return;
        const line = element("span", "line");
        line.append(element("i", `swatch s${n + 1}`), part.title, element("em", "", part.texts[i]));
        box.append(line);
      });
      const last = columns[columns.length - 1];
      if (!parts.includes(last)) {
        const line = element("span", "line sum");
        line.append(last.title, element("em", "", last.texts[i]));
        box.append(line);
      }
      const left = plot.valToPos(i, "x");
      box.style.left = left < plot.over.clientWidth / 2 ? `${left + 12}px` : "";
      box.style.right = left < plot.over.clientWidth / 2 ? ""
        : `${plot.over.clientWidth - left + 12}px`;
    };
  }

  function options(figure, columns, series, shown) {
    const style = getComputedStyle(figure);
    const usd = figure.dataset.unit === "usd";
    const axis = {stroke: style.color, font: `12px ${style.fontFamily}`,
                  ticks: {show: false}, grid: {stroke: style.borderTopColor, width: 1}};
    const short = (text) => text.replace(/^\d{4}-/, "").replace(/^\d\d-\d\d (\d\d:)/, "$1");
    return {
      width: figure.clientWidth, height: HEIGHT, series: [{}, ...series],
      legend: {show: false}, cursor: {y: false, drag: {x: false, y: false}, points: {show: false}},
      scales: {
        x: {time: false, range: (_, low, high) => [low - 0.5, high + 0.5]},
        y: {range: (_, low, high) => [Math.min(0, low), Math.max(0, high) * 1.06 || 1]},
      },
      axes: [
        {...axis, grid: {show: false}, space: 62, incrs: [1, 2, 3, 5, 7, 10, 14, 30, 60, 120],
         values: (_, at) => at.map((i) => short(columns[0].texts[i] ?? ""))},
        {...axis, size: 66, values: (_, at) => at.map((value) => usd
          ? money.format(value / NANO) : count.format(value))},
      ],
      hooks: {setCursor: [(plot) => shown(plot.cursor.idx ?? null)]},
    };
  }

  function serie(kind, colour, n) {
    if (kind === "stack") {
      return {fill: colour, stroke: colour, width: 0, points: {show: false},
              paths: uPlot.paths.bars({size: [0.72, 48], radius: 0.08})};
    }
    return {stroke: colour, width: 2, dash: n ? [6, 4] : [], points: {show: false}};
  }

  function words(columns, i) {
    const parts = columns.slice(1).filter((column) => column.values[i]);
    return `${columns[0].texts[i]}: ${parts.map((p) => `${p.title} ${p.texts[i]}`).join(", ")
      || "nothing"}`;
  }

  function keys(figure, plot, columns) {
    const last = columns[0].texts.length - 1;
    const said = figure.parentElement.querySelector(".point");
    let at = -1;
    figure.onkeydown = (event) => {
      const moves = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last};
      if (!(event.key in moves)) return;
      event.preventDefault();
      at = Math.min(Math.max(moves[event.key], 0), last);
      plot.setCursor({left: plot.valToPos(at, "x"), top: plot.over.clientHeight / 2});
      said.textContent = words(columns, at);
    };
    figure.onblur = () => { plot.setCursor({left: -10, top: -10}); said.textContent = ""; };
  }

  function draw(figure) {
    const columns = read(document.getElementById(figure.dataset.table));
    const kind = figure.dataset.kind;
    const parts = columns.slice(1, kind === "stack" ? -1 : undefined);
    figure.replaceChildren();
    const colours = legend(figure, parts);
    const painted = layers(kind, parts);
    let show = () => {};
    const series = painted.map(({n}) => serie(kind, colours[n], n));
    const data = [columns[0].texts.map((_, i) => i), ...painted.map(({values}) => values)];
    const plot = new uPlot(options(figure, columns, series, (i) => show(i)), data, figure);
    show = tip(plot, columns, parts);
    show(null);
    keys(figure, plot, columns);
    figure.dataset.drawn = String(columns[0].texts.length);
    drawn.add({figure, plot});
  }

  function drawAll(root) {
    for (const one of drawn) {
      if (one.figure.isConnected && !root.contains(one.figure)) continue;
      one.plot.destroy();
      drawn.delete(one);
    }
    root.querySelectorAll("figure.chart").forEach(draw);
  }

  addEventListener("resize", () => {
    for (const {figure, plot} of drawn) {
      plot.setSize({width: figure.clientWidth, height: HEIGHT});
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
  return {draw: drawAll};
})();
