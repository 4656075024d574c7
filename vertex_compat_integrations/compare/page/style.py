"""The page's style, for light and dark mode and for wide and narrow screens."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --line: #d8dee6; --paper: #fff; --card: #f6f8fa;
  --bad: #b3261e; --good: #17683a; --warn-paper: #fff4d6; --warn-ink: #5c4300;
  --m0: #0b63b0; --m1: #c2500a; --m2: #0a7d5f; --m3: #a03a86; --m4: #6a5200; --m5: #3f4fb8; --m6: #8a2f2f; --m7: #456; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #a2adbb; --line: #38414d; --paper: #14181d;
  --card: #1c2229; --bad: #ff9d94; --good: #79d8a0; --warn-paper: #3a2f0c; --warn-ink: #ffe3a0;
  --m0: #6db6ff; --m1: #ffa267; --m2: #58d0ae; --m3: #eb96d4; --m4: #d9bd55; --m5: #9daaff; --m6: #f29a9a;
  --m7: #a9b8c8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem clamp(0.8rem, 3vw, 2rem) 3rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 0.5rem; } article > h3 { margin: 0; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; } p { margin: 0.4rem 0; max-width: 70ch; }
.soft, .note, figcaption, footer { color: var(--soft); font-size: 0.88rem; }
.banner { background: var(--warn-paper); color: var(--warn-ink); padding: 0.6rem 0.9rem; border-radius: 6px;
  margin: 1rem 0; max-width: none; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 0.45rem 0.7rem; border-top: 1px solid var(--line); vertical-align: top; }
td { white-space: nowrap; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; vertical-align: bottom; }
th:first-child { text-align: left; } tbody th { font-weight: 600; min-width: 11rem; overflow-wrap: anywhere; }
figure { margin: 0; padding: 0.8rem 0.9rem; background: var(--card); border-radius: 6px; min-width: 0; }
figcaption { margin-bottom: 0.5rem; } figcaption b { color: var(--ink); display: block; font-size: 0.95rem; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.rowhead { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; font-size: 0.88rem; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.name::before { content: ""; display: inline-block; width: 0.65em; height: 0.65em; border-radius: 50%;
  margin-right: 0.4em; background: currentColor; }
svg { display: block; overflow: visible; } svg text { fill: var(--soft); font-size: 12px; }
.base { stroke: var(--line); } .tick { stroke: var(--soft); } circle { fill-opacity: 0.55; }
.median { stroke: var(--ink); stroke-width: 2.5; } .late { stroke: var(--ink); stroke-width: 1.5; }
.shade1 { fill-opacity: 0.6; } .shade2 { fill-opacity: 0.3; }
.answers { display: grid; align-items: start; gap: 0.8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
article { border: 1px solid var(--line); border-radius: 6px; padding: 0.7rem 0.9rem; min-width: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: 0.4rem 0; max-height: 26rem;
  overflow-y: auto; }
pre.code { font: 0.82rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: var(--card); padding: 0.6rem;
  border-radius: 6px; }
.question { border-left: 3px solid var(--line); padding-left: 0.8rem; max-width: 80ch; }
.failed { color: var(--bad); } .facts { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; color: var(--soft);
  font-size: 0.82rem; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); }
details { border-top: 1px solid var(--line); margin-top: 0.5rem; padding-top: 0.4rem; }
summary { cursor: pointer; color: var(--soft); font-size: 0.88rem; }
ul { padding-left: 1.2rem; margin: 0.4rem 0; } li { overflow-wrap: anywhere; max-width: 80ch; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 0.8rem; }
@media (max-width: 56rem) { thead { display: none; } table, tbody, tr, th, td { display: block; }
  tr + tr { border-top: 1px solid var(--line); } th, td { border: 0; padding: 0.15rem 0.8rem; white-space: normal; }
  tr { padding: 0.5rem 0; } td { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
  td::before { content: attr(data-label); color: var(--soft); } }
@media print { pre { max-height: none; } article, figure { break-inside: avoid; } }
""" + "\n".join(f".c{n}::before {{ color: var(--m{n}); }} .f{n} {{ fill: var(--m{n}); }}" for n in range(8))
