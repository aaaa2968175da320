"""The frame of a report's page: no script, nothing from the network, readable on a phone and on paper."""
import html

CSS = """
:root{color-scheme:light;--ink:#1c1f23;--soft:#5b6470;--line:#dfe3e8;--band:#f6f7f9}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);
  font:16px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1320px;margin:0 auto;padding:1.5rem 1.25rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.25rem;margin:2.2rem 0 .4rem}
h3{font-size:1.05rem;margin:1.6rem 0 .2rem}
p{margin:.3rem 0 .7rem;max-width:75ch}
.question{font-size:1.1rem;color:var(--soft)}
.facts{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}
.facts div{background:var(--band);border:1px solid var(--line);border-radius:.4rem;padding:.45rem .9rem}
.facts b{display:block;font-size:1.3rem;line-height:1.2}
.facts span{color:var(--soft);font-size:.85rem}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.32rem .7rem;text-align:right;white-space:nowrap;border-bottom:1px solid #eef0f3}
thead th{background:var(--band);border-bottom:1px solid var(--line);vertical-align:bottom;white-space:normal;
  min-width:3.2rem;max-width:9rem}
tbody th,td.word,thead th:first-child{text-align:left;font-weight:600}
td.word{font-weight:400}
tr.group th{font-weight:400;color:var(--soft);border-top:1px solid #c4cad2;padding-top:.7rem}
tr.group span{position:sticky;left:.7rem}
.half{color:var(--soft);font-size:.85em}
.plain td{white-space:normal;word-break:break-word}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;padding:0;margin:.2rem 0 .4rem;font-size:.92rem}
.legend img{vertical-align:middle;margin-right:.45rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:.8rem}
.panels img{width:100%;height:auto;border:1px solid var(--line);border-radius:.4rem;padding:.3rem}
.where{color:var(--soft);font-size:.85rem;max-width:none}
.supported{color:#00593f}.refuted{color:#8a3600}
.verdict{white-space:normal;text-align:left;min-width:14rem}td.says{white-space:normal;text-align:left;min-width:13rem}
td.controls{text-align:left;font-size:.85em;color:var(--soft)}
code{font-size:.9em;overflow-wrap:anywhere}
.skipped{color:var(--soft);font-style:italic}
details{margin:2rem 0}summary{cursor:pointer;font-weight:600}
pre{background:var(--band);border:1px solid var(--line);border-radius:.4rem;padding:.7rem;
  overflow-x:auto;font-size:.85rem}
footer{color:var(--soft);font-size:.85rem;margin-top:2rem}
hr{border:0;border-top:2px solid var(--line);margin:3rem 0}
.verdicts thead th{text-align:left}.verdicts td.word{white-space:normal}
@media(max-width:640px){.verdicts thead{display:none}.verdicts tr{display:block;border-bottom:1px solid #c4cad2;padding:.4rem 0}
.verdicts tbody td{display:block;text-align:left;white-space:normal;border:0;padding:.1rem .7rem}
.verdicts td[data-name]::before{content:attr(data-name)": ";color:var(--soft)}}
@media print{.panels{grid-template-columns:1fr 1fr}section{break-inside:avoid}}
"""


def wrap(title, body, written):
    return ("<!doctype html><html lang=en><head><meta charset=utf-8>"
            '<meta name=viewport content="width=device-width,initial-scale=1">'
            f"<title>{html.escape(title)} · ebrsweep</title><style>{CSS}</style></head><body><main>{body}"
            f"<footer>Written by ebrsweep's analysis/report.py on {written}.</footer></main></body></html>\n")
