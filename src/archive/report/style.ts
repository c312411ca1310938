import { createHash } from 'node:crypto'

/**
 * The look of the page. Nothing is told by colour alone: strips have patterns and heights of their own for each kind, and a
 * status is a word.
 */
export const style = `
:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--text:#1a212b;--soft:#525c69;--line:#d5dae1;--link:#0b57a4;
--ok:#176b3a;--warn:#7d4e00;--bad:#a81d1d;--on:#fff;--f:#2f9e63;--g:#6b7684;--gap:#e3e6ea;--l:#b36b00;--late:#ffd98a;--u:#2566b8;--up:#b9d4f5;--x:#c62828;--on-x:#fff}
@media(prefers-color-scheme:dark){:root{--bg:#11151a;--card:#1a2027;--text:#e8ecf1;--soft:#a7b1bd;--line:#333c47;--link:#8ec4ff;
--ok:#6fdc9b;--warn:#ffc457;--bad:#ff9a92;--on:#11151a;--f:#35a86b;--g:#98a3b0;--gap:#39424d;--l:#ffc457;--late:#5c4410;--u:#8ec4ff;--up:#1f3f63;--x:#ff6b61;--on-x:#2a0705}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem}
a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:2px}
header,main,footer{max-width:84rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.lead{font-size:1.1rem;margin:.25rem 0}.soft,footer{color:var(--soft)}footer{padding-bottom:2rem}
.badge{display:inline-block;margin:0;padding:.15rem .8rem;border-radius:1rem;font-weight:700;letter-spacing:.03em;color:var(--on)}
.badge.OK{background:var(--ok)}.badge.WARNING{background:var(--warn)}.badge.FAILURE{background:var(--bad)}
b.WARNING{color:var(--warn)}b.FAILURE{color:var(--bad)}b.OK{color:var(--ok)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;margin:1.25rem 0}
dl div,.notes,details,.restore{background:var(--card);border:1px solid var(--line);border-radius:.5rem}
dl div{padding:.6rem .9rem}dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.2rem;font-weight:600;font-variant-numeric:tabular-nums}
.notes,.restore{padding:.75rem 1rem;margin:1rem 0}.notes ul,.restore ul{margin:.4rem 0;padding-left:1.2rem}.restore h2{margin:.25rem 0}
progress{appearance:none;border:1px solid var(--line);border-radius:2px;background:var(--gap);width:100%;height:1rem}progress::-webkit-progress-bar{background:none}progress::-webkit-progress-value{background:var(--f)}progress::-moz-progress-bar{background:var(--f)}td progress{width:8rem;height:.85rem;vertical-align:-1px;margin-left:.5rem}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;list-style:none;padding:0;margin:.5rem 0 1rem;font-size:.9rem}.legend svg{width:1.6rem;margin-right:.5rem}
details{margin:.5rem 0;padding:0 1rem}summary{cursor:pointer;padding:.6rem 0;display:grid;grid-template-columns:auto minmax(8rem,1fr) 6.5rem 10rem minmax(0,2.2fr);gap:.75rem;align-items:center}
summary:before{content:"▸";color:var(--soft);width:.8rem}[open]>summary:before{content:"▾"}summary::-webkit-details-marker{display:none}
summary span{color:var(--soft)}
details div,.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin-bottom:.75rem}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:.25rem}
tr{border-top:1px solid var(--line)}thead tr{border:0}
th,td{text-align:right;padding:.25rem .6rem;font-weight:400;white-space:nowrap}
th:first-child,td:nth-child(2){text-align:left}thead th{color:var(--soft);font-size:.85rem}thead th:nth-child(2){text-align:left}
.restore td:nth-child(2),.restore thead th:nth-child(2){text-align:right}.restore th:first-child{white-space:normal}
details ul{font-size:.9rem;margin:0 0 .9rem;padding-left:1.2rem}
svg,details td:nth-child(2):before{width:10rem;height:.85rem;vertical-align:-1px;background:var(--f);border-radius:2px}td svg,details td:nth-child(2):before{margin-right:.6rem}
details td:nth-child(2):before{content:"";display:inline-block}details td:nth-child(2):has(svg):before,details td.none:before{display:none}
.defs{position:absolute;width:0;height:0}
.g{fill:url(#g)}.l{fill:url(#l)}.u{fill:url(#u)}.x{fill:url(#x)}
.g0{fill:var(--gap)}.g1{stroke:var(--g)}.l0{fill:var(--late)}.l1{fill:var(--l)}.u0{fill:var(--up)}.u1{fill:var(--u)}.x0{fill:var(--x)}.x1{stroke:var(--on-x)}
@media(max-width:52rem){summary{grid-template-columns:auto 1fr auto}summary svg{grid-column:2/4}summary span{grid-column:2/4}}
@media print{body{background:none}details{break-inside:avoid}}
`

const hash = createHash('sha256').update(style).digest('base64')

/** What a browser may do for the page: show it, in this style. It loads and sends nothing. */
const rules = ["default-src 'none'", `style-src 'sha256-${hash}'`, "base-uri 'none'", "form-action 'none'"]

/** As it stands in the page itself, for a page that is opened as a file. */
export const policyOfPage = rules.join('; ')

/** As a server sends it: only there it can say that no other page may frame this one. */
export const policyOfServer = [...rules, "frame-ancestors 'none'"].join('; ')
