/** The style of a report. The colours are those of Okabe and Ito, darker on white: all kinds of eyes tell them apart. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1b1b1b; --soft: #595959; --ground: #ffffff; --line: #d4d4d4; --warning: #a33d00;
  --series-0: #0072b2; --series-1: #c24a00; --series-2: #00795a; --series-3: #9c3f79;
  --state-running: #56b4e9; --state-completed: #009e73; --state-expired: #e69f00; --state-cancelled: #8c8c8c;
  --state-failed: #c24a00; --state-validating: #e69f00; --state-in_progress: #56b4e9; --state-finalizing: #009e73;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #ececec; --soft: #b0b0b0; --ground: #161616; --line: #444444; --warning: #ff9d5c;
    --series-0: #56b4e9; --series-1: #ff8f4d; --series-2: #2bc79b; --series-3: #e39bc5;
    --state-failed: #f0703a; --state-completed: #17b58a;
  }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 60rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; unicode-bidi: isolate; }
dl { margin: 0.5rem 0; }
dl > div { display: grid; grid-template-columns: 11rem 1fr; gap: 0.5rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; font-size: 0.9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.9rem 0.2rem 0; border-bottom: 1px solid var(--line); }
td { overflow-wrap: break-word; }
td code { display: inline-block; min-width: 6.5rem; max-width: 28rem; }
time, caption { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 0.5rem 0; }
svg { max-width: 100%; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 0; padding: 0; font-size: 0.9rem; }
.swatch { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.4em; border: 1px solid currentColor; }
.soft, footer { color: var(--soft); }
.failure { border-left: 0.3rem solid var(--warning); padding-left: 1rem; }
.series-0 { background: var(--series-0); } .series-1 { background: var(--series-1); }
.series-2 { background: var(--series-2); } .series-3 { background: var(--series-3); }
.state-running { background: var(--state-running); } .state-completed { background: var(--state-completed); }
.state-expired { background: var(--state-expired); } .state-cancelled { background: var(--state-cancelled); }
.state-failed { background: var(--state-failed); } .state-validating { background: var(--state-validating); }
.state-in_progress { background: var(--state-in_progress); } .state-finalizing { background: var(--state-finalizing); }
@media print { .wide { overflow: visible; } }
`;
