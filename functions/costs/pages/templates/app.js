"use strict";
// Keeps a page live: when costs change the same page is asked for again, and the parts that differ
// are put in place. What one has open and where one is stays, and what is pressed is left alone.
(() => {
  const PAUSE_MS = 1000;
  const POLL_MS = 30000;
  const status = document.getElementById("live");
  const shown = document.documentElement.dataset;
  const served = new Map();
  let source = null;
  let last = 0;
  let timer = 0;

  const parts = (root) => [...root.querySelectorAll("[data-live]")];
  const say = (text, state) => { if (status) { status.textContent = text; status.dataset.state = state; } };

  function replace(part, html) {
    const open = [...part.querySelectorAll("details[open]")].length > 0;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const scrolled = part.querySelector(".scroll")?.scrollLeft ?? 0;
    part.innerHTML = html;
    part.querySelectorAll("details").forEach((each) => { each.open = open; });
    if (part.querySelector(".scroll")) part.querySelector(".scroll").scrollLeft = scrolled;
    window.charts.draw(part);
    if (focused) again(part, focused)?.focus();
  }

  function again(part, focused) {
    const href = focused.getAttribute("href");
    if (href) return part.querySelector(`a[href="${CSS.escape(href)}"]`);
    return part.querySelector(focused.tagName + (focused.className && `.${focused.className}`));
  }

  async function refresh() {
    last = Date.now();
    const answer = await fetch(location.href, {headers: {accept: "text/html"}});
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    shown.events = page.documentElement.dataset.events;
    for (const fresh of parts(page)) {
      const part = document.getElementById(fresh.id);
      if (!part || served.get(fresh.id) === fresh.innerHTML) continue;
      if (part.matches(":active")) { soon(); continue; }
      served.set(fresh.id, fresh.innerHTML);
      replace(part, fresh.innerHTML);
    }
    say(`Live · ${new Date().toISOString().slice(11, 19)} UTC`, "on");
  }

  function soon() {
    clearTimeout(timer);
    const wait = Math.max(last + PAUSE_MS - Date.now(), 0);
    timer = setTimeout(() => refresh().catch(() => say("Not live: no answer", "off")), wait);
  }

  function listen() {
    if (source || document.hidden) return;
    source = new EventSource("/v1/live");
    source.addEventListener("changed", (event) => {
      if (String(JSON.parse(event.data).events) !== shown.events) soon();
    });
    source.onopen = () => say("Live", "on");
    source.onerror = () => say("Not live: waiting", "off");
  }

  function pause() {
    source?.close();
    source = null;
  }

  document.querySelectorAll("input[type=file][data-into]").forEach((field) => {
    field.addEventListener("change", async () => {
      document.getElementById(field.dataset.into).value = await field.files[0].text();
    });
  });

  parts(document).forEach((part) => served.set(part.id, part.innerHTML));
  window.charts.draw(document);
  shown.ready = String(Math.round(performance.now()));
  if (!status) return;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) pause(); else { listen(); soon(); }
  });
  setInterval(() => { if (!document.hidden) soon(); }, POLL_MS);
  listen();
})();
