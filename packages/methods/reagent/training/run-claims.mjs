import { runClaims, formatTable } from "@offprint/claims";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { claims } from "../claims/index.ts";
const backend = process.argv[3]==="host"?undefined:await onnxRuntime();
const seed=Number(process.argv[2]??0);
const c0=process.cpuUsage();
let t=performance.now();
const run = await runClaims(claims,{seed,scale:process.argv[4]??"quick",...(backend&&{backend}),onFinished:(r)=>{const n=performance.now();console.log(r.id,r.holds,((n-t)/1000).toFixed(1)+"s",r.error??r.detail); for(const tb of (seed===0?r.tables??[]:[])) {console.log(tb.columns.join(" | "));for(const row of tb.rows) console.log(row.map(v=>typeof v==="number"?v.toFixed(3):v).join(" | "));} t=n;}});
const c=process.cpuUsage(c0); console.log("cpu",(c.user+c.system)/1e6);
