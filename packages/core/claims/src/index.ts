export {
  type Claim,
  type ClaimContext,
  type ClaimResult,
  type ClaimSet,
  type ClaimTable,
  defineClaims,
  type Scale,
} from "./claim.js";
export { growthOf, leastIterationSeconds, leastSeconds, leastSecondsInTurn, processorSeconds } from "./cost.js";
export { largestDifference, meanOf, medianOf } from "./measures.js";
export { memo } from "./memo.js";
export { barPlot } from "./plots/bars.js";
export type { PlotOptions } from "./plots/frame.js";
export { heatMap } from "./plots/heat-map.js";
export { imageGrid } from "./plots/images.js";
export { linePlot } from "./plots/line.js";
export { plotStyles } from "./plots/palette.js";
export { plot } from "./plots/plot.js";
export { polygonGrid } from "./plots/polygons.js";
export type {
  Axis,
  BarSeries,
  Bars,
  Curve,
  Drawing,
  HeatMapSeries,
  ImageSeries,
  ImageTile,
  LineSeries,
  Polygon,
  PolygonSeries,
  Reference,
  Series,
  Values,
} from "./plots/series.js";
export { figure, formatQuantity, formatSeconds, type Quantity } from "./quantity.js";
export { type ClaimRecord, type ClaimRun, isClaimRecord, resumeKey } from "./record.js";
export { type Environment, htmlReport, type Paper, type ReportOptions } from "./report/report.js";
export { type RunOptions, type RunProgress, runClaims } from "./run.js";
export { formatTable, type TableOptions } from "./table.js";
export { displayWidth, padText, wrapText } from "./text-width.js";
