/** Colours with at least 4.5:1 against what they stand on (WCAG 2.2, 1.4.3), bars 3:1 (1.4.11). */
export const COLOUR = {
  page: '#f3f4f6',
  text: '#1f2933',
  quiet: '#52606d',
  line: '#ddd',
  faint: '#f7f8fa',
  head: '#17324d',
  allowed: '#4a7ba6',
  refused: '#b4532a',
  warn: '#8a4b08',
  warnPage: '#fdf6ec',
  good: '#2c6e49',
  goodPage: '#f0f7f2',
} as const;

export const FONT = "'Segoe UI',Arial,Helvetica,sans-serif";

/** For readers that heed it: phones stack, paper keeps tables whole and colours as they are. No value of a report goes in. */
export const STYLE_SHEET = `
.grid>*>tr>*{line-height:19px;overflow-wrap:break-word;font-variant-numeric:tabular-nums}
.grid>tbody>tr>th{overflow-wrap:anywhere}
li{overflow-wrap:anywhere}
@media (max-width:600px){
.outer{padding:0 !important}
.sheet{border:0 !important}
.inner{padding:20px 14px !important}
.tile{display:inline-block !important;width:49% !important;box-sizing:border-box}
.tiles,.tiles tbody,.tiles tr{display:block !important;width:100% !important}
.bar{display:none !important}
.grid>*>tr>*{padding:5px 3px !important;font-size:13px !important}
}
@media print{
@page{margin:14mm 12mm}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{background:#fff !important}
.outer{padding:0 !important}
.sheet{border:0 !important;max-width:none !important}
.inner{padding:0 !important}
.block{break-inside:avoid-page}
.long{break-inside:auto}
tr{break-inside:avoid}
h2,h2+p{break-after:avoid}
tfoot{display:table-row-group}
.grid>*>tr>*{padding-top:3px !important;padding-bottom:3px !important;font-size:12px !important}
}
`;
